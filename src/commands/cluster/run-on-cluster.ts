import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import { makeRunId, type RunId } from '../../core/ids.js';
import type { PhaseCommandName, PhaseOptions } from '../../core/phase-command.js';
import { type Defer, scope } from '../../core/scope.js';
import { packHandIn } from '../../door/hand-in.js';
import { type Cluster, openCluster } from '../../kubernetes/client.js';
import { lockForRun } from '../../phases/data/pool.js';
import { profileOption } from '../../phases/frame/context.js';
import type { KnownTest } from '../../phases/run/inspect-test.js';
import { confirmationFor, covers } from '../../plan/guards.js';
import { placeOf } from '../../plan/hosts.js';
import { foreseenLoad } from '../../plan/inspection.js';
import { type Act, approve, checkFirst, needsAnswer, unconfirmed } from '../call/approval.js';
import type { Planned } from '../call/profile.js';
import type { Reports } from '../call/reports.js';
import { writeReports } from '../call/session.js';
import type { Call, Outcome } from '../call/types.js';
import { followRun } from './follow-run.js';
import { type HandInTerms, handInOf } from './hand-in-of.js';
import { clusterWords, deadlineOf, jobOf, termsOf } from './job-of.js';
import { type EndsBy, listenToSignals } from './signals.js';
import { type Started, startConductor } from './start-conductor.js';
import { openView } from './view.js';

/** What a command in a cluster is asked for with. */
export interface ClusterRun {
  readonly planned: Planned;
  readonly reports: Reports;
  /** It is begun, and not followed. */
  readonly detach: boolean;
  readonly command: PhaseCommandName;
  readonly options: PhaseOptions;
  readonly act: Act;
}

/**
 * Has a conductor in the cluster carry a command out, and shows it as if it were here: what needs no database is checked here, the
 * conductor is started and handed all that it needs, its events are told as they come, its questions are asked here, and what it
 * leaves is brought here.
 */
export async function runOnCluster(call: Call, what: ClusterRun): Promise<Outcome> {
  return scope(async (defer) => {
    const { shell } = call;
    const { planned, reports, detach, command, options } = what;
    const { environment } = planned.plan;
    const run = makeRunId(shell.clock.stamp());
    if (detach) refuseDetached(what);
    const cluster = await openCluster(clusterWords(planned), shell);
    refuseServer(cluster, planned);
    const view = await openView(call, { run, environment }, defer);
    const lockElsewhere = clusterWords(planned).phases === 'here';
    const terms = termsOf(call, planned, { run, detach, command, options: { ...options, ...(lockElsewhere ? { lockElsewhere } : {}) } });
    const signals = listenToSignals(shell, view.emit, defer);
    const { job, door, endsBy } = await begin(call, { ...what, cluster, terms, emit: view.emit, signal: signals.interrupted }, defer);
    signals.passTo(door, endsBy);
    view.emit({ type: 'noted', code: 'conductor-started', job: job.metadata?.name ?? '', namespace: cluster.namespace });
    if (detach) return { ...left(command, run, environment), reasons: [] };
    const followed = await followRun(call, { cluster, job, door, run, environment }, { ...view, signal: signals.leaving });
    if (followed.how === 'left') return left(command, run, environment);
    const unwritten = makesLoad(what) ? await writeReports(call, reports, view.heard) : { asked: [], all: [] };
    return {
      reasons: [...view.heard.read().reasons, ...unwritten.asked.map(({ reason }) => reason)],
      data: view.json.read(),
      text: '',
      bugs: unwritten.all,
    };
  });
}

function makesLoad({ act }: Pick<ClusterRun, 'act'>): boolean {
  return act.does.includes('load');
}

/** Who leaves at once answers nothing, and holds nothing. Throws `refused` with what would do. */
function refuseDetached({ planned, command, options }: ClusterRun): void {
  const { stores } = planned.loaded.profile;
  const holdsLock = clusterWords(planned).phases === 'here' && Object.values(stores).some(({ kind }) => kind === 'postgres');
  if (holdsLock)
    throw new LoadctlError('refused', 'With runners.kubernetes.phases: here this loadctl holds the lock, and --detach would leave.', {
      hint: 'Set runners.kubernetes.phases: cluster, or leave --detach out.',
    });
  if (command === 'seed' && options.reset === true)
    throw new LoadctlError('refused', `seed --reset asks before it removes anything; with --detach there is no terminal to answer.`, {
      hint: 'Leave --detach out.',
    });
}

/** What ends it where no stop reaches it. */
function endsByItself({ stopUnfollowedMs }: HandInTerms, known: KnownTest | undefined): EndsBy {
  if (stopUnfollowedMs !== undefined) return { cause: 'unfollowed', afterMs: stopUnfollowedMs };
  return known === undefined ? { cause: 'done' } : { cause: 'planned', afterMs: foreseenLoad(known.inspection).durationMs };
}

interface Beginning extends ClusterRun {
  readonly cluster: Cluster;
  readonly terms: HandInTerms;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Everything that can refuse the command and needs no database, then its conductor. */
async function begin(call: Call, beginning: Beginning, defer: Defer): Promise<Started & { readonly endsBy: EndsBy }> {
  const { planned, cluster, terms, command, emit, signal } = beginning;
  const { target, known, confirmation } = await approved(call, beginning);
  // Who follows hears them from the conductor.
  for (const warning of beginning.detach && known !== undefined ? planned.plan.warnings : []) emit({ type: 'warned', ...warning });
  if (terms.options.lockElsewhere === true) await holdLock(call, beginning, defer);
  const started = await startConductor(call, cluster, {
    job: jobOf(call, planned, { ...terms, target }),
    deadlineMs: deadlineOf(planned, known, command !== 'run'),
    handIn: (lock) => packHandIn(handInOf(call, planned, { ...terms, ...(lock && { lock }), ...(confirmation && { confirmation }) })),
    ...(known === undefined ? {} : { k6Version: known.k6.version }),
    readyMs: planned.plan.fleet.readyTimeout,
    signal,
  });
  return { ...started, endsBy: endsByItself(terms, known) };
}

/** A load alone can be confirmed here: what it reaches is in the plan. What works on data is shown by who can look at it. */
async function approved(call: Call, { planned, act, terms, command, detach, emit, signal }: Beginning) {
  const here = { ...act, run: terms.run };
  const means = { emit, signal };
  if (command === 'run') return { ...(await approve(call, planned, here, means)), confirmation: confirmationFor(planned.plan) };
  const first = await checkFirst(call, planned, here, means);
  if (detach && needsAnswer(call, planned, here)) throw unconfirmed(call, planned, { target: first.target });
  return { ...first, confirmation: undefined };
}

/** As long as this command goes on. */
async function holdLock({ shell }: Call, { planned, terms: { run }, emit, signal }: Beginning, defer: Defer): Promise<void> {
  const { profile, file } = planned.loaded;
  const named = profileOption({ file, environment: profile.environment, cwd: shell.cwd });
  const held = await lockForRun({ profile, emit, signal, world: shell, run, named });
  defer(() => held.release());
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
function left(command: PhaseCommandName, run: RunId, environment: string): Outcome {
  const what = command === 'run' ? `Run ${run}` : `The ${command} (run ${run})`;
  const text = `${what} goes on in the cluster.\nFollow it, and bring its directory here: loadctl attach ${run} --env ${environment}\n`;
  return { reasons: ['interrupted'], data: { run, detached: true }, text };
}
