import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import { makeRunId, type RunId } from '../../core/ids.js';
import { type Defer, scope } from '../../core/scope.js';
import { packHandIn } from '../../door/hand-in.js';
import { type Cluster, openCluster } from '../../kubernetes/client.js';
import { lockForRun } from '../../phases/data/pool.js';
import { profileOption } from '../../phases/frame/context.js';
import type { KnownTest } from '../../phases/run/inspect-test.js';
import { covers } from '../../plan/guards.js';
import { placeOf } from '../../plan/hosts.js';
import { foreseenLoad } from '../../plan/inspection.js';
import { approve } from '../call/approval.js';
import type { Planned } from '../call/profile.js';
import type { Reports } from '../call/reports.js';
import { knownTest, writeReports } from '../call/session.js';
import type { Call, Outcome } from '../call/types.js';
import { followRun } from './follow-run.js';
import { type HandInTerms, handInOf } from './hand-in-of.js';
import { clusterWords, deadlineOf, jobOf, termsOf } from './job-of.js';
import { type EndsBy, listenToSignals } from './signals.js';
import { type Started, startConductor } from './start-conductor.js';
import { openView } from './view.js';

/** What a run in a cluster is asked for with. */
export interface ClusterRun {
  readonly planned: Planned;
  readonly reports: Reports;
  /** It is begun, and not followed. */
  readonly detach: boolean;
}

/**
 * Has a conductor in the cluster carry the run out, and shows it as if it were here: the plan is approved here, the conductor is
 * started and handed all that it needs, its events are told as they come, and its run directory is brought here.
 */
export async function runOnCluster(call: Call, { planned, reports, detach }: ClusterRun): Promise<Outcome> {
  return scope(async (defer) => {
    const { shell } = call;
    const { environment } = planned.plan;
    const run = makeRunId(shell.clock.stamp());
    const cluster = await openCluster(clusterWords(planned), shell);
    refuseServer(cluster, planned);
    const view = await openView(call, { run, environment }, defer);
    const terms = termsOf(call, planned, { run, detach });
    const signals = listenToSignals(shell, view.emit, defer);
    const { job, door, endsBy } = await begin(call, { planned, cluster, terms, emit: view.emit, signal: signals.interrupted }, defer);
    signals.passTo(door, endsBy);
    view.emit({ type: 'noted', code: 'conductor-started', job: job.metadata?.name ?? '', namespace: cluster.namespace });
    if (detach) return { ...left(run, environment), reasons: [] };
    const followed = await followRun(call, { cluster, job, door, run }, { ...view, signal: signals.leaving });
    if (followed.how === 'left') return left(run, environment);
    const { asked, all } = await writeReports(call, reports, view.heard);
    return {
      reasons: [...view.heard.read().reasons, ...asked.map(({ reason }) => reason)],
      data: view.json.read(),
      text: '',
      bugs: all,
    };
  });
}

/** What ends a run that no stop reaches. */
function endsByItself({ stopUnfollowedMs }: HandInTerms, { inspection }: KnownTest): EndsBy {
  if (stopUnfollowedMs !== undefined) return { cause: 'unfollowed', afterMs: stopUnfollowedMs };
  return { cause: 'planned', afterMs: foreseenLoad(inspection).durationMs };
}

interface Beginning {
  readonly planned: Planned;
  readonly cluster: Cluster;
  readonly terms: HandInTerms;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Everything that can refuse the run, then its conductor. The lock in the databases is held here, as long as this command goes on. */
async function begin(
  call: Call,
  { planned, cluster, terms, emit, signal }: Beginning,
  defer: Defer,
): Promise<Started & { readonly endsBy: EndsBy }> {
  const { run } = terms;
  const { target, known: found } = await approve(call, planned, { does: ['load'], run }, { emit, signal });
  const known = knownTest(found);
  for (const warning of planned.plan.warnings) emit({ type: 'warned', ...warning });
  const { profile, file } = planned.loaded;
  const named = profileOption({ file, environment: profile.environment, cwd: call.shell.cwd });
  const held = await lockForRun({ profile, emit, signal, world: call.shell, run, named });
  defer(() => held.release());
  const started = await startConductor(call, cluster, {
    job: jobOf(call, planned, { target, known }),
    deadlineMs: deadlineOf(planned, known),
    handIn: (lock) => packHandIn(handInOf(call, planned, { ...terms, lock })),
    k6Version: known.k6.version,
    readyMs: planned.plan.fleet.readyTimeout,
    signal,
  });
  return { ...started, endsBy: endsByItself(terms, known) };
}

/** To a cluster nothing is loopback: its API server has to be allowed by name, wherever it is reached. */
function refuseServer({ server }: Cluster, { plan, loaded }: Planned): void {
  const { host } = placeOf(server);
  if (loaded.profile.guards.allow.some((entry) => covers(entry, host))) return;
  throw new LoadctlError(
    'refused',
    `The guard \`allow\` refuses this on ${plan.environment}; nothing was sent. ${host}, the API server, is not on the profile's list of allowed hosts.`,
    {
      hint: `If the run may go there, add it: guards.allow: [${host}]`,
    },
  );
}

/** Nobody here knows how it ends: that is no pass. */
function left(run: RunId, environment: string): Outcome {
  const text = `Run ${run} goes on in the cluster.\nFollow it, and bring its directory here: loadctl attach ${run} --env ${environment}\n`;
  return { reasons: ['interrupted'], data: { run, detached: true }, text };
}
