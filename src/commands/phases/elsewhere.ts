import type { Command } from 'commander';
import { LoadctlError } from '../../core/errors.js';
import type { PhaseOptions } from '../../core/phase-command.js';
import { approvedPlan } from '../call/approved-plan.js';
import type { Planned } from '../call/profile.js';
import { type SessionOptions, session } from '../call/session.js';
import type { Call, Outcome } from '../call/types.js';
import type { PhaseCommand } from './phase-command.js';

type Elsewhere = Required<SessionOptions>['elsewhere'];

/** The option of every command that a conductor can carry out. */
export function withDetachOption(command: Command): Command {
  return command.option('--detach', 'kubernetes: begin it and leave; loadctl attach follows it');
}

/** Does such a command, as it was typed: here, or by a conductor. */
export async function carryOut(call: Call, phase: PhaseCommand, options: PhaseOptions): Promise<Outcome> {
  const { command, act, work } = phase;
  const asked = { ...act(options), command, elsewhere: elsewhere(call, phase, options), ...(await approvedPlan(call)) };
  return session(call, asked, (context, known) => work(call, options, context, known));
}

/** Whether, and how, a conductor in a cluster carries a command out. */
export function elsewhere(call: Call, { command, act }: PhaseCommand, options: PhaseOptions): Elsewhere {
  const detach = call.options.detach === true;
  return (planned, reports) => {
    if (!isInCluster(planned, command)) {
      if (detach) throw noDetach(planned);
      return undefined;
    }
    // Loaded where it is needed: few speak to a cluster.
    return import('../cluster/run-on-cluster.js').then(({ runOnCluster }) =>
      runOnCluster(call, { planned, reports, detach, command, options, act: act(options) }),
    );
  };
}

/** Runs are always there; what works on databases is where the profile says. Throws `unavailable` for a test that would be in both. */
function isInCluster(planned: Planned, command: PhaseCommand['command']): boolean {
  const { loaded, backend, plan } = planned;
  const { runners } = loaded.profile;
  if (runners.backend !== 'kubernetes' || runners.kubernetes === undefined || !backend.isBuilt) return false;
  if (command === 'run' || runners.kubernetes.phases === 'cluster') return true;
  if (command !== 'test') return false;
  const [seed, run, cleanup] = ['seed', 'run', 'cleanup'].map((name) => `loadctl ${name} --env ${plan.environment}`);
  throw new LoadctlError('unavailable', 'loadctl test needs its conductor to reach the databases; nothing was done.', {
    hint: `Set runners.kubernetes.phases: cluster, or type them one by one: ${seed} && ${run}; ${cleanup}`,
  });
}

function noDetach({ plan: { fleet } }: Planned): LoadctlError {
  if (fleet.backend === 'kubernetes')
    return new LoadctlError('refused', 'With runners.kubernetes.phases: here this loadctl holds the lock, and --detach would leave.', {
      hint: 'Set runners.kubernetes.phases: cluster, or leave --detach out.',
    });
  return new LoadctlError('usage', `--detach goes with runners.backend: kubernetes, and this is ${fleet.backend}.`, {
    hint: 'Leave --detach out.',
  });
}
