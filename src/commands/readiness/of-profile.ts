import { formatCount, formatDuration } from '../../core/quantities.js';
import { isInCloud } from '../../plan/cloud.js';
import { checkGuards, confirmationFor, needsConfirmation } from '../../plan/guards.js';
import type { Foreseen } from '../../plan/inspection.js';
import { unbuiltWords } from '../../plan/unbuilt.js';
import type { Finding } from '../../reporters/doctor-table.js';
import { plannedCapacity } from '../call/capacity.js';
import type { Planned } from '../call/profile.js';
import type { Call } from '../call/types.js';
import { lookAtCluster } from './of-cluster.js';
import { lookAtServers, type Unasked } from './reach.js';

/** What a run of a profile needs besides this machine: script, variables, servers, runners, monitors, outputs, guards. */
export async function lookAtProfile(call: Call, planned: Planned, foreseen: Foreseen): Promise<Finding[]> {
  return [
    ...lookAtScript(planned, foreseen),
    ...lookAtVariables(planned),
    ...(await lookAtServers(call, planned, whyUnasked(call, planned))),
    ...(await lookAtRunners(call, planned, foreseen)),
    ...lookAtOthers(planned),
    ...lookAtGuards(planned, foreseen),
  ];
}

/** Servers are connected to where that is wanted, allowed and possible. */
function whyUnasked({ options }: Call, planned: Planned): Unasked | undefined {
  const { loaded, plan } = planned;
  const [host] = checkGuards(plan, loaded.profile, { makesLoad: false, confirmed: true }).filter(({ guard }) => guard === 'allow');
  if (host !== undefined) return { why: 'not asked, as guards.allow does not list every host', more: host.fix };
  const missing = missingOf(planned);
  if (missing.length > 0) return { why: `not asked without ${missing.join(', ')}`, more: settingOf(planned) };
  if (options.connect === true) return undefined;
  return { why: 'not asked', more: `To connect once: loadctl doctor --env ${plan.environment} --connect` };
}

function lookAtScript({ plan, loaded }: Planned, foreseen: Foreseen): Finding[] {
  const what = 'script';
  const error = 'load' in foreseen ? undefined : foreseen.error;
  // Init code that throws may want a variable of the run; what k6 cannot read, no run can.
  if (error?.reason === 'invalid-profile')
    return [{ what, state: 'missing', said: error.message, ...(error.hint === undefined ? {} : { more: error.hint }) }];
  // A script that k6 cannot look at here has no load to be held against this machine.
  if (!('load' in foreseen)) return [{ what, state: 'unknown', said: `what it makes is unknown, because ${foreseen.because}` }];
  const { vus, durationMs, scenarios } = foreseen.load;
  const whose = plan.load === undefined ? 'of its own' : 'of the profile';
  const said = `${formatCount(vus)} VUs for ${formatDuration(durationMs)}, ${scenarios.length === 1 ? 'a load' : `${scenarios.length} scenarios`} ${whose}`;
  const ofScript = Object.keys(Object(foreseen.inspection.options.thresholds)).length;
  const isJudged = plan.criteria.length + ofScript > 0;
  return [
    { what, state: 'good', said },
    isJudged
      ? {
          what: 'limits',
          state: 'good',
          said: `${formatCount(plan.criteria.length)} in the profile, ${formatCount(ofScript)} in the script`,
        }
      : {
          what: 'limits',
          state: 'low',
          said: 'none: a run passes whatever it measures',
          more: `Add sla to ${loaded.file}: {p95: < 500ms, errors: < 1%}`,
        },
  ];
}

function missingOf({ loaded }: Planned): string[] {
  return loaded.variables.filter(({ from }) => from === 'missing').map(({ name }) => name);
}

function settingOf({ plan }: Planned): string {
  return `Set it in the environment, or in .env.${plan.environment} or .env as NAME=value.`;
}

function lookAtVariables(planned: Planned): Finding[] {
  const { variables } = planned.loaded;
  const what = 'variables';
  if (variables.length === 0) return [{ what, state: 'good', said: 'the profile asks for none' }];
  const missing = missingOf(planned);
  if (missing.length > 0) return [{ what, state: 'missing', said: `not set: ${missing.join(', ')}`, more: settingOf(planned) }];
  return [{ what, state: 'good', said: variables.map(({ name, from }) => `${name} (${from})`).join(', ') }];
}

async function lookAtRunners(call: Call, planned: Planned, foreseen: Foreseen): Promise<Finding[]> {
  const { plan, loaded, backend } = planned;
  const what = 'runners';
  const { count, backend: name } = plan.fleet;
  if (isInCloud(plan)) {
    const said = `Grafana Cloud, project ${plan.fleet.cloud?.project} of stack ${plan.fleet.cloud?.stack}; not asked`;
    return [
      { what, state: 'unknown', said, more: 'Whether the token is taken, and the limits allow the load, k6 hears when a run begins.' },
    ];
  }
  const [unbuilt] = unbuiltWords(loaded.profile, backend);
  if (unbuilt !== undefined)
    return [{ what, state: 'missing', said: `${unbuilt.word}: ${unbuilt.message}`, more: 'Use runners.backend: local' }];
  if (backend.isHere) return [{ what, state: 'good', said: `${formatCount(count)} on this machine` }];
  const { kubernetes: words } = plan.fleet;
  if (name === 'kubernetes' && words !== undefined) {
    const needs = (await plannedCapacity(planned, foreseen, call.shell))?.pods;
    return lookAtCluster(call, { words, runners: count, needs });
  }
  const where = backend.hosts.length === 0 ? name : `${name}: ${backend.hosts.join(', ')}`;
  return [
    { what, state: 'unknown', said: `${formatCount(count)} on ${where}; not asked`, more: 'A run looks at them before any load is made.' },
  ];
}

/** What doctor has words of its own for. */
function lookAtOthers({ plan, loaded }: Planned): Finding[] {
  const listed = (what: string, names: readonly string[], flag: string): Finding[] => {
    if (names.length === 0) return [];
    return [{ what, state: 'unknown', said: `${names.join(', ')}: not asked`, more: `loadctl doctor --env ${plan.environment} ${flag}` }];
  };
  const { monitors, outputs } = loaded.profile;
  return [...listed('monitors', Object.keys(monitors), '--monitors'), ...listed('outputs', Object.keys(outputs), '--outputs')];
}

function lookAtGuards({ plan, loaded }: Planned, foreseen: Foreseen): Finding[] {
  const what = 'guards';
  const load = 'load' in foreseen ? foreseen.load : undefined;
  const refusals = checkGuards(plan, loaded.profile, { makesLoad: true, confirmed: true }, load);
  if (refusals.length > 0)
    return refusals.map(({ guard, message, fix }) => ({ what, state: 'missing', said: `${guard}: ${message}`, more: fix }));
  if (!needsConfirmation(plan, loaded.profile))
    return [{ what, state: 'good', said: plan.beyondLoopback.length === 0 ? 'every host is this machine' : 'satisfied' }];
  const more = `Type its name back on a terminal, or set LOADCTL_CONFIRM=${confirmationFor(plan)}`;
  return [{ what, state: 'good', said: `satisfied once ${plan.environment} is confirmed`, more }];
}
