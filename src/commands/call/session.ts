import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import { scope } from '../../core/scope.js';
import { redactDeep } from '../../core/secrets.js';
import type { Summary } from '../../metrics/summary.js';
import type { PhaseContext } from '../../phases/frame/context.js';
import type { Plan } from '../../plan/plan.js';
import { unbuiltWords } from '../../plan/unbuilt.js';
import type { ProfileSource } from '../../profile/find.js';
import { reporters } from '../../reporters/index.js';
import { loadPaint } from '../../reporters/paint.js';
import type { Measured, Reporter } from '../../reporters/types.js';
import { runFiles, runsRoot } from '../../runs/layout.js';
import { type Act, approve } from './approval.js';
import { type Planned, planProfile } from './profile.js';
import type { Call } from './types.js';

/** What a session is opened for. */
export interface SessionOptions extends Act {
  /** The profile where the call names none. */
  readonly fallback?: ProfileSource;
  /** A last look at the plan before anybody is asked; throws what stands against it. */
  readonly check?: (planned: Planned) => void;
}

/** How long what is under way gets to end after a second Ctrl-C, before it is left to itself. */
const patienceMs = 2000;

/** Loads the profile, has the plan approved, and runs `body` with all that a phase needs: reporter, signals, redactor. */
export async function session<T>(call: Call, options: SessionOptions, body: (context: PhaseContext) => Promise<T>): Promise<T> {
  return scope(async (defer) => {
    const planned = planProfile(call, 'required', options.fallback);
    options.check?.(planned);
    const interrupted = new AbortController();
    const killed = new AbortController();
    let emit: Emit = () => {};
    const stopListening = call.shell.onInterrupt((count, signal) => {
      interrupted.abort();
      if (count > 1) killed.abort();
      else emit({ type: 'noted', message: `${signal}: ending what is under way; once more ends it at once` });
    });
    defer(stopListening);
    const target = await approve(call, planned, options, interrupted.signal);
    const reporter = await openReporter(call, planned.plan);
    defer(() => reporter.close());
    emit = emitTo(call, reporter);
    if (options.does.includes('load')) warnOfPlan(planned, emit);
    const context = { ...contextOf(call, planned, emit, [interrupted.signal, killed.signal]), target };
    return untilKilled(context, body);
  });
}

function contextOf(
  { shell, version, redact }: Call,
  { loaded, plan }: Planned,
  emit: Emit,
  [signal, killed]: readonly [AbortSignal, AbortSignal],
): Omit<PhaseContext, 'target'> {
  return { profile: loaded.profile, plan, loaded, world: shell, emit, redact, signal, killed, version };
}

/** The reporter that suits how the call wants to be spoken to. */
export function openReporter({ shell, style }: Call, plan: Plan): Promise<Reporter> {
  const kind = style.quiet ? 'quiet' : style.json || !style.animated ? 'plain' : 'terminal';
  return Promise.all([loadPaint(style.colour.stdout), loadPaint(style.colour.stderr)]).then(([resultsPaint, talkPaint]) =>
    reporters[kind]({
      talk: shell.stderr,
      talkPaint,
      ...(style.json ? {} : { results: shell.stdout }),
      resultsPaint,
      measured: (run) => measuredBy(shell.cwd, run, plan),
    }),
  );
}

function emitTo({ shell, redact }: Call, reporter: Reporter): Emit {
  return (event) => reporter.handle({ at: shell.clock.now(), ...redactDeep(event, redact) });
}

/** The numbers of a run that was judged a moment ago. */
function measuredBy(cwd: string, run: string, { steady }: Plan): Measured | undefined {
  try {
    const summary = JSON.parse(readFileSync(join(runsRoot(cwd), run, runFiles.summary), 'utf8')) as Summary;
    return { summary, ...(steady === undefined ? {} : { steady }) };
  } catch {
    return undefined; // a run without numbers: its verdict says so
  }
}

function warnOfPlan({ plan, loaded }: Planned, emit: Emit): void {
  for (const message of plan.warnings) emit({ type: 'warned', message });
  for (const { word, message } of unbuiltWords(loaded.profile)) emit({ type: 'warned', message: `${word}: ${message}` });
}

/** A second Ctrl-C ends the call even where something under way does not listen. */
async function untilKilled<T>(context: PhaseContext, body: (context: PhaseContext) => Promise<T>): Promise<T> {
  const { killed, world } = context;
  const given = new AbortController();
  const patience = new Promise<never>((_, reject) => {
    killed.addEventListener(
      'abort',
      () => {
        void world.clock.sleep(patienceMs, given.signal).then(() =>
          reject(
            new LoadctlError('interrupted', 'Ended at once, as asked: what was under way is unfinished.', {
              hint: `Take the test data out: loadctl cleanup --env ${context.profile.environment}`,
            }),
          ),
        );
      },
      { once: true },
    );
  });
  patience.catch(() => {});
  try {
    return await Promise.race([body(context), patience]);
  } finally {
    given.abort();
  }
}
