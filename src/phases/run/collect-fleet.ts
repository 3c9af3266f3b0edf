import { errorMessage } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import { makeGate } from '../../core/gate.js';
import type { ProcessEnd } from '../../core/os.js';
import type { RunnerEnd, RunnerOutcome } from '../../core/outcome.js';
import type { Milliseconds } from '../../core/quantities.js';
import { inOneLine, signalWords } from '../../k6/log.js';
import { addComplaints } from '../../k6/log-digest.js';
import { beginMetric, type RunnerFacts } from '../../k6/wrapper.js';
import { unnamedParts } from '../../metrics/endpoint-metrics.js';
import { failedRequests } from '../../metrics/failed-requests.js';
import { mergedGroups, mergedMetrics } from '../../metrics/merge.js';
import { parseRunnerSummary } from '../../metrics/runner-summary.js';
import type { Summary, SummaryMetric } from '../../metrics/summary.js';
import type { Runner, RunnerFiles, RunnerLog } from '../../runners/runner/types.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';
import type { LiveData } from '../watch/live-data.js';
import type { Attempt } from './attempt.js';
import type { ReadyFleet } from './get-ready.js';
import type { Loaded } from './make-load.js';
import { outcomeOf } from './outcomes.js';
import type { PreparedTest } from './prepare.js';
import { openSpill, type Spill } from './spill.js';
import { type PushedNumbers, type RunnerNumbers, standInsFor } from './stand-ins.js';
import { startSkew } from './start-skew.js';
import { statsWanted } from './test-shape.js';

/** What runners wrote is brought from so many at a time: of more, memory and disk would only have to hold more at once. */
const gatheredAtOnce = 16;

const complaintsShown = 5;
const longestComplaint = 300;

/** A push that took longer than the time to the next one: k6 then says that samples may be dropped, but they wait, and are in the next. */
const slowPush = 'Successful flushed time series to remote write endpoint but it took';

/**
 * What k6 says of one runner and is not so for the fleet: it judges there, and one runner's share of a load may be nothing.
 * That the load was ended over REST is loadctl's own doing, and told already.
 */
const ofOneRunner = [
  'thresholds on metrics',
  'No script iterations fully finished',
  'test run stopped from REST API',
  'Error executing setup',
  signalWords,
  slowPush,
];

interface Gathered {
  readonly runner: Runner;
  readonly end: ProcessEnd;
  readonly log: RunnerLog;
  /** Missing where the runner did not come to write its numbers. */
  readonly numbers: RunnerNumbers | undefined;
}

/** How runners ended while they were to write their numbers, where they did not by themselves. */
export type WritingEnds = ReadonlyMap<Runner, RunnerEnd>;

/**
 * After the runners' end: brings in what they wrote, says what came of each, merges it, and writes summary.json; what was
 * received of a runner that wrote nothing stands in for it. Undefined where there are no numbers at all.
 */
export async function collectFleet(
  attempt: Attempt,
  ready: ReadyFleet,
  loaded: Loaded,
  writing: WritingEnds,
): Promise<Summary | undefined> {
  const { context, directory, test } = attempt;
  const { live } = ready;
  const spill = await openSpill(context.world, attempt.defer);
  const gathered = (await gather(ready.runners, spill, context)).map((one) => inTime(one, ready, loaded));
  const known = gathered.flatMap(({ numbers }) => (numbers === undefined ? [] : [numbers]));
  const silent = gathered.flatMap(({ runner, numbers }) => (numbers === undefined ? [runner.id] : []));
  const standIns = standInsFor(silent, known, { live, releasedAt: loaded.releasedAt }, test);
  const outcomes = gathered.map((one) => outcomeIn(one, standIns, { attempt, ready, loaded, writing }));
  for (const outcome of outcomes) context.emit({ type: 'runner-ended', ...outcome });
  tellMissing(outcomes, standIns, context.emit);
  for (const one of gathered) tellLog(one, context);
  tellComplaints(gathered, directory, context);
  tellShortages(gathered, context);
  if (known.length + standIns.size === 0) return undefined;
  await tellSkew(gathered, ready, context.emit);
  const merged = withUnnamed(await merge([...known, ...standIns.values()], attempt, ready), test, live);
  await directory.write(runFiles.summary, merged);
  return merged;
}

/**
 * k6 measures how long its test lasts by the wall clock of its host. Where that says what cannot be, as it was set meanwhile, our
 * own time from the release to the end is what is known.
 */
function inTime(one: Gathered, { live, setUp }: ReadyFleet, { releasedAt, lastedMs }: Loaded): Gathered {
  if (one.numbers === undefined) return one;
  const { facts } = one.numbers;
  if (setUp.failed) return { ...one, numbers: withoutLoad(one.numbers, setUp.elapsedMs) };
  const heardMs = (live.heardAt.get(one.runner.id) ?? releasedAt) - releasedAt;
  const possible = facts.durationMs <= lastedMs + clockSlackMs && facts.durationMs >= Math.min(heardMs, lastedMs) - lateMs;
  return possible ? one : { ...one, numbers: { ...one.numbers, facts: { ...facts, durationMs: lastedMs } } };
}

/** A setup() that failed took its time, and no VUs: k6 counts them in a test that waits, and shows none. */
function withoutLoad({ facts, summary }: RunnerNumbers, durationMs: Milliseconds): RunnerNumbers {
  const { vus: _vus, vus_max: _most, ...metrics } = summary.metrics;
  return { facts: { ...facts, durationMs }, summary: { ...summary, metrics } };
}

/** The end of a runner's load is noticed a moment later, and a push may come as late as loadctl itself. */
const clockSlackMs: Milliseconds = 2000;
const lateMs: Milliseconds = 5000;

interface Collecting {
  readonly attempt: Attempt;
  readonly ready: ReadyFleet;
  readonly loaded: Loaded;
  readonly writing: WritingEnds;
}

function outcomeIn(
  { runner, end, log, numbers }: Gathered,
  standIns: ReadonlyMap<string, RunnerNumbers>,
  { attempt: { stop, context, test }, ready: { live }, loaded, writing }: Collecting,
): RunnerOutcome {
  const evidence = { runner, end, load: loaded.ends.get(runner), stop: stop.why()?.cause, writing: writing.get(runner), log: log.digest };
  const pushed = standIns.get(runner.id);
  const whose = numbers === undefined ? (pushed === undefined ? 'none' : 'pushed') : 'own';
  const ms = (numbers ?? pushed)?.facts.durationMs ?? 0;
  const stillMs = loaded.stillMs(runner);
  return outcomeOf(evidence, { numbers: whose, ms, stillMs }, { plan: context.plan, test, live, releasedAt: loaded.releasedAt });
}

/** Says whose numbers are not their own, once for all of them, and who stood still. */
function tellMissing(outcomes: readonly RunnerOutcome[], standIns: ReadonlyMap<string, PushedNumbers>, emit: Emit): void {
  const cutOff = outcomes.filter(({ cause, numbers }) => cause === 'cut-off' && numbers === 'pushed').map(({ runner }) => runner);
  if (cutOff.length > 0) emit({ type: 'warned', code: 'numbers-cut-off', runners: cutOff });
  const missing = outcomes.filter(({ numbers, lost }) => numbers === 'none' && lost > 0);
  if (missing.length > 0 && missing.length < outcomes.length) {
    const lost = missing.reduce((sum, one) => sum + one.lost, 0);
    emit({ type: 'warned', code: 'numbers-missing', runners: missing.map(({ runner }) => runner), lost });
  }
  const pushed = outcomes.filter(({ cause, numbers }) => cause !== 'cut-off' && numbers === 'pushed').map(({ runner }) => runner);
  for (const { runner, stoodStillMs: forMs, lost } of outcomes)
    if (forMs !== undefined) emit({ type: 'warned', code: 'runner-stood-still', runner, forMs, lost });
  if (pushed.length === 0) return;
  const keys = pushed.flatMap((runner) => standIns.get(runner)?.summary.uncounted ?? []).filter((key) => !key.includes('{'));
  emit({ type: 'warned', code: 'numbers-pushed-only', runners: pushed, uncounted: [...new Set(keys)] });
}

async function tellSkew(gathered: readonly Gathered[], { origins }: ReadyFleet, emit: Emit): Promise<void> {
  const skew = await startSkew(gathered, origins);
  if (skew === 'unknown') emit({ type: 'noted', code: 'start-skew-unknown' });
  else if (skew !== undefined) emit({ type: 'start-skew-measured', skewMs: skew });
}

/** The numbers of all runners first: whatever becomes of their logs, those are there. */
async function gather(runners: readonly Runner[], spill: Spill, { emit }: RunContext): Promise<Gathered[]> {
  const gate = makeGate(gatheredAtOnce);
  const numbers = async (runner: Runner) => {
    const files = await runner.collect();
    tellTroubles(runner, files, emit);
    return numbersOf(runner, files, { spill, emit });
  };
  const ended = await Promise.all(
    runners.map(async (runner) => ({ runner, end: await runner.ended, numbers: await gate(() => numbers(runner)) })),
  );
  return Promise.all(ended.map(async (one) => ({ ...one, log: await gate(() => one.runner.readLog()) })));
}

function tellTroubles(runner: Runner, { troubles }: Pick<RunnerFiles, 'troubles'>, emit: Emit): void {
  for (const message of troubles) emit({ type: 'warned', code: 'files-not-kept', runner: runner.id, message });
}

/** What of its log is not there: a result does not depend on it. */
function tellLog({ runner, log }: Gathered, { emit }: RunContext): void {
  tellTroubles(runner, log, emit);
  if (log.leftOut === undefined) emit({ type: 'warned', code: 'log-cut', runner: runner.id });
  else if (log.leftOut > 0) emit({ type: 'warned', code: 'log-cut', runner: runner.id, leftOutBytes: log.leftOut });
}

interface Gathering {
  readonly spill: Spill;
  readonly emit: Emit;
}

async function numbersOf(runner: Runner, files: RunnerFiles, { spill, emit }: Gathering): Promise<Gathered['numbers']> {
  const texts = await files.read();
  if (texts.summary === undefined || texts.facts === undefined) return undefined;
  try {
    const facts = JSON.parse(texts.facts) as RunnerFacts;
    return { facts, summary: spill(parseRunnerSummary(JSON.parse(texts.summary), facts.contains)) };
  } catch (error) {
    emit({ type: 'warned', code: 'numbers-unreadable', runner: runner.id, message: errorMessage(error) });
    return undefined;
  }
}

/** As in k6, a counter's rate is over the whole test: what setup() and teardown() add to it counts, and so does their time. */
async function merge(
  known: readonly RunnerNumbers[],
  { context: { plan, world }, directory, test }: Attempt,
  { setUp, teardown }: ReadyFleet,
): Promise<Summary> {
  const durationMs = Math.max(...known.map(({ facts }) => facts.durationMs));
  const wholeMs = durationMs + (setUp.failed ? 0 : setUp.elapsedMs) + teardown.elapsedMs();
  const summaries = known.map(({ summary }) => summary);
  const merged: [string, SummaryMetric][] = [];
  for (const one of mergedMetrics(summaries, { durationMs: wholeMs, percentiles: statsWanted(plan.criteria, test) })) {
    merged.push(one);
    await world.clock.sleep(0); // others have their turn between two metrics: a lock is held, somebody follows
  }
  const { [beginMetric]: _begin, ...metrics } = Object.fromEntries(merged);
  return {
    version: 1,
    run: directory.run,
    k6Version: test.k6Version,
    durationMs,
    ...(wholeMs === durationMs ? {} : { wholeMs }),
    runners: known.length,
    metrics,
    rootGroup: mergedGroups(summaries),
  };
}

/** k6 has sub-metrics of what was named before it began; the live data has every endpoint. */
function withUnnamed(merged: Summary, { tagged }: PreparedTest, live: LiveData): Summary {
  const metrics = {
    ...merged.metrics,
    ...unnamedParts(live.numbers, { ...merged, durationMs: merged.wholeMs ?? merged.durationMs }, tagged),
  };
  const failed = failedRequests(live.numbers, tagged);
  return {
    ...merged,
    ...(failed.length === 0 ? {} : { failed }),
    metrics: Object.fromEntries(Object.entries(metrics).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** The runners' logs can be long: what they complain of most, each with how often, is what one wants to see first. */
function tellComplaints(gathered: readonly Gathered[], directory: RunDirectory, { emit }: RunContext): void {
  const complaints = addComplaints(gathered.map(({ log }) => log.digest)).filter(
    ({ message }) => !ofOneRunner.some((beginning) => message.startsWith(beginning)),
  );
  for (const { message, times } of complaints.slice(0, complaintsShown)) {
    emit({ type: 'warned', code: 'k6-complained', message: shortened(inOneLine(message)), times });
  }
  const lines = gathered.reduce((sum, { log }) => sum + log.digest.scriptLines, 0);
  if (lines > 0) emit({ type: 'noted', code: 'script-logged', lines, folder: directory.file(runFiles.runners) });
  if (complaints.length > complaintsShown)
    emit({
      type: 'noted',
      code: 'k6-complaints-left',
      kinds: complaints.length - complaintsShown,
      folder: directory.file(runFiles.runners),
    });
}

/** A script may log a whole page. */
function shortened(message: string): string {
  return message.length <= longestComplaint ? message : `${message.slice(0, longestComplaint)}…`;
}

/** What the system would not give a runner: its own machine was the limit, not the target. */
function tellShortages(gathered: readonly Gathered[], { emit }: RunContext): void {
  for (const { runner, log } of gathered)
    for (const { of, times } of log.digest.shortages) emit({ type: 'runner-short', runner: runner.id, of, times });
}
