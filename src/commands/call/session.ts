import { besideIn } from '../../core/beside.js';
import { type ExitReason, errorData, errorMessage, LoadctlError } from '../../core/errors.js';
import type { Emit, LoggedEvent, TracedCommand } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import { type Defer, scope } from '../../core/scope.js';
import { isInCluster } from '../../kubernetes/client.js';
import type { PhaseContext } from '../../phases/frame/context.js';
import { type Outputs, openOutputs } from '../../phases/outputs/open-outputs.js';
import { keepPage } from '../../phases/report/keep-page.js';
import { readResult } from '../../phases/report/read-result.js';
import type { KnownTest } from '../../phases/run/inspect-test.js';
import type { PhaseFailure } from '../../phases/test.js';
import type { LoadTarget } from '../../plan/target.js';
import type { ProfileSource } from '../../profile/find.js';
import { reporters } from '../../reporters/index.js';
import { jsonReport } from '../../reporters/json.js';
import { loadPaint } from '../../reporters/paint.js';
import type { Reporter } from '../../reporters/types.js';
import { type Told, told } from '../../reports/result/told.js';
import { type Act, approve } from './approval.js';
import { viewOption } from './options.js';
import { type MadeProfile, type Planned, planProfile } from './profile.js';
import { refusingSuspension } from './refuse-suspension.js';
import { openReports, type Reports, reportingErrors, tellGithub } from './reports.js';
import { openTrace, type Trace } from './trace.js';
import type { Call, Outcome } from './types.js';

/** What a session is opened for. */
export interface SessionOptions extends Act {
  readonly command: TracedCommand;
  /** The profile where the call names none. */
  readonly fallback?: ProfileSource | MadeProfile;
  /** Hands back what is carried out of what the call plans, before anybody is asked; throws what stands against it. */
  readonly decide?: (planned: Planned) => Planned;
  /** Where the run is carried out elsewhere: what came of it there. */
  readonly elsewhere?: (planned: Planned, reports: Reports) => Promise<Outcome> | undefined;
  /** Hears every event as it is kept, after the run directory did. */
  readonly hear?: (event: LoggedEvent) => void;
}

/** The work of a session; a test is known where it makes load. */
type Body = (context: PhaseContext, known: KnownTest | undefined) => Promise<Done>;

/** What came of a session's work. */
export interface Done {
  /** Everything that the exit status could be; empty for a pass. */
  readonly reasons: readonly ExitReason[];
  /** What ended phases of a whole test, in order. */
  readonly failures?: readonly PhaseFailure[];
  /** What is printed, and what `--json` prints, beside what the events tell. */
  readonly shown?: { readonly text: string; readonly data: Readonly<Record<string, unknown>> };
}

/** How long what is under way gets to end after a second Ctrl-C, before it is left to itself. */
const patienceMs = 2000;

/**
 * Loads the profile, has the plan approved, and runs `body` with all that a phase needs: events, signals, redactor. What
 * `--json` prints is a fold over the events; an error that ends `body` is one of them.
 */
export async function session(call: Call, options: SessionOptions, body: Body): Promise<Outcome> {
  const reports = await openReports(call);
  return reportingErrors(call, reports, () => reportedSession(call, options, body, reports));
}

/** The plan, and what becomes of it where it is carried out elsewhere: that can do with secrets that are not here. In a pod loadctl is its own conductor. */
async function whereTo(call: Call, options: SessionOptions, reports: Reports) {
  const plan = async (secrets: 'required' | 'here') => {
    const asked = await planProfile(call, secrets, options.fallback);
    return options.decide?.(asked) ?? asked;
  };
  const isInPod = options.elsewhere !== undefined && (await isInCluster(call.shell));
  if (options.elsewhere === undefined || isInPod) return { planned: await plan('required'), isInPod };
  const planned = await plan('here');
  const elsewhere = options.elsewhere(planned, reports);
  const isMissing = planned.loaded.variables.some(({ from }) => from === 'missing');
  return { elsewhere, planned: elsewhere === undefined && isMissing ? await plan('required') : planned, isInPod };
}

async function reportedSession(call: Call, options: SessionOptions, body: Body, reports: Reports): Promise<Outcome> {
  return scope(async (defer) => {
    const { elsewhere, planned, isInPod } = await whereTo(call, options, reports);
    if (elsewhere !== undefined) return elsewhere;
    const interrupted = new AbortController();
    const killed = new AbortController();
    let emit: Emit = () => {};
    let ended = false;
    // What was done is printed yet, and a late interrupt must not cut that off; one more does, as nobody may be reading.
    const stopListening = call.shell.onInterrupt((count, signal) => {
      if (ended) return stopListening();
      interrupted.abort();
      if (count > 1) killed.abort();
      else emit({ type: 'noted', code: 'stopping', signal });
    });
    defer(() => {
      ended = true;
    });
    const reporter = await openReporter(call);
    defer(() => reporter.close());
    const json = jsonReport();
    let hear: (event: LoggedEvent) => void = () => {};
    const heard = told(planned.plan.environment);
    const suspension = refusingSuspension(call.shell, (event) => emit(event));
    defer(suspension.end);
    const trace = openTrace(call.shell.clock, call.redact, (event) => {
      suspension.hear(event);
      json.add(event);
      heard.add(event);
      reporter.handle(event);
      options.hear?.(event);
      hear(event);
    });
    defer(() => trace.close());
    emit = trace.emit;
    emit({ type: 'command-started', command: options.command, environment: planned.plan.environment, version: call.version });
    const work = async () => {
      const { target, known } = await approve(call, planned, options, { emit, signal: interrupted.signal });
      if (options.does.includes('load')) for (const warning of planned.plan.warnings) emit({ type: 'warned', ...warning });
      const signals = { interrupted: interrupted.signal, killed: killed.signal };
      const outputs = outputsOf(call, planned, trace, defer);
      hear = options.does.some((deed) => deed === 'load' || deed === 'cleanup') ? outputs.hear : hear;
      const context = { ...contextOf(call, planned, heardBy(trace, outputs), signals), target };
      if (isInPod && known !== undefined && planned.plan.fleet.backend === 'kubernetes')
        defer(await ownLock(call, planned, known.run, target));
      return untilKilled(context, () => body(context, known)).finally(() => outputs.finish(signals));
    };
    const { reasons, shown, failures = [] } = await toldEnd(work, emit);
    const bugs = failures.flatMap(({ error }) => (error instanceof LoadctlError ? [] : [error]));
    const unwritten = options.does.includes('load') ? await writeReports(call, reports, heard) : { asked: [], all: [] };
    return {
      reasons: [...reasons, ...unwritten.asked.map(({ reason }) => reason)],
      data: { ...shown?.data, ...json.read() },
      text: shown?.text ?? '',
      bugs: [...bugs, ...unwritten.all],
    };
  });
}

/** Loaded where it is needed: few speak to a cluster. One that cannot be let go of goes with its Job. */
async function ownLock(call: Call, planned: Planned, run: RunId, target: LoadTarget): Promise<() => Promise<void>> {
  const { takeOwnLock } = await import('./own-lock.js');
  const letGo = await takeOwnLock(call, planned, run, target);
  return async () =>
    letGo().catch((error: unknown) =>
      call.shell.stderr.write(`The lock of the run stays until its Job is removed: ${errorMessage(error)}\n`),
    );
}

/** Writes what is to be left about a test; hands back what of the files that were asked for, and of all, could not be written. */
export async function writeReports(call: Call, reports: Reports, heard: Told): Promise<{ asked: LoadctlError[]; all: LoadctlError[] }> {
  const directory = heard.directory();
  try {
    const result = directory === undefined ? heard.read() : await readResult(directory);
    const asked = [...(await reports.write(result)), ...(await tellGithub(call, result))];
    const page = directory === undefined ? [] : await keepPage(directory, result).then(() => [], expected);
    return { asked, all: [...asked, ...page] };
  } catch (error) {
    const errors = expected(error);
    return { asked: reports.asked ? errors : [], all: errors };
  }
}

function expected(error: unknown): LoadctlError[] {
  if (error instanceof LoadctlError) return [error];
  throw error;
}

/** Tells how `work` ended; a bug is told and passed on. */
async function toldEnd(work: () => Promise<Done>, emit: Emit): Promise<Done> {
  const done = await work().catch((error: unknown): Done => {
    emit({ type: 'failed', error: errorData(error) });
    if (!(error instanceof LoadctlError)) throw error;
    return { reasons: [error.reason] };
  });
  for (const { phase, error } of done.failures ?? []) emit({ type: 'failed', phase, error: errorData(error) });
  emit({ type: 'command-finished', reasons: done.reasons });
  return done;
}

/** Opened when the call was approved; they send nothing before they hear of something. */
function outputsOf({ shell, version, redact }: Call, { plan, access }: Planned, { emit }: Trace, defer: Defer): Outputs {
  // What goes on beside the command never ends it.
  const beside = besideIn(defer, () => undefined);
  return openOutputs({ plan, access, world: shell, version, redact, emit, beside });
}

/** A trace whose outputs hear of what is kept as well. */
function heardBy(trace: Trace, { keepIn, watchNumbers }: Outputs): Heard {
  return {
    ...trace,
    watchNumbers,
    keepIn: (directory) => {
      trace.keepIn(directory);
      keepIn(directory);
    },
  };
}

type Heard = Trace & Pick<PhaseContext, 'watchNumbers'>;

function contextOf(
  { shell, version, redact, options }: Call,
  { loaded, plan, access }: Planned,
  { emit, moment, keepIn, watchNumbers }: Heard,
  { interrupted: signal, killed }: { readonly interrupted: AbortSignal; readonly killed: AbortSignal },
): Omit<PhaseContext, 'target'> {
  const { profile, file, redacted, variables, overrides, monitorsAt, limits } = loaded;
  const origin = { file, profile: redacted, variables, overrides, monitorsAt, limits };
  const noColor = options.color === false || (shell.env.NO_COLOR ?? '') !== '';
  return { profile, plan, access, origin, world: shell, emit, moment, keepIn, watchNumbers, redact, signal, killed, version, noColor };
}

/** The test of a session that makes load. */
export function knownTest(known: KnownTest | undefined): KnownTest {
  if (known === undefined) throw new Error('a session that makes no load has no test');
  return known;
}

/** The reporter that suits how the call wants to be spoken to. */
export async function openReporter(call: Call): Promise<Reporter> {
  const { shell, style } = call;
  const view = viewOption(call);
  const isDrawn = view === undefined ? style.animated : view !== 'lines' && style.canDraw;
  const kind = style.quiet ? 'quiet' : style.json || !isDrawn ? 'plain' : 'terminal';
  const [resultsPaint, talkPaint] = await Promise.all([loadPaint(style.colour.stdout), loadPaint(style.colour.stderr)]);
  return reporters[kind]({
    talk: shell.stderr,
    talkPaint,
    ...(style.json ? {} : { results: shell.stdout }),
    resultsPaint,
    stopMarks: style.ci,
    view: view === 'full' || view === 'short' ? view : 'auto',
    unicode: style.unicode,
  });
}

/** A second Ctrl-C ends the call even where something under way does not listen. */
async function untilKilled(context: PhaseContext, body: () => Promise<Done>): Promise<Done> {
  const { killed, world } = context;
  const given = new AbortController();
  const patience = new Promise<never>((_, reject) => {
    killed.addEventListener(
      'abort',
      () => {
        void world.clock.sleep(patienceMs, given.signal).then(() =>
          reject(
            new LoadctlError('interrupted', 'Stopped immediately, as requested; work in progress is unfinished.', {
              hint: `Remove the test data: loadctl cleanup --env ${context.plan.environment}`,
            }),
          ),
        );
      },
      { once: true },
    );
  });
  patience.catch(() => {});
  try {
    return await Promise.race([body(), patience]);
  } finally {
    given.abort();
  }
}
