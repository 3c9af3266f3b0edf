import { errorMessage } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { ProcessEnd } from '../../core/os.js';
import { k6Exit } from '../../k6/exit-codes.js';
import { inOneLine } from '../../k6/log.js';
import { addComplaints } from '../../k6/log-digest.js';
import { beginMetric, type RunnerFacts } from '../../k6/wrapper.js';
import { unnamedParts } from '../../metrics/endpoint-metrics.js';
import { failedRequests } from '../../metrics/failed-requests.js';
import { mergeRunnerSummaries } from '../../metrics/merge.js';
import { parseRunnerSummary } from '../../metrics/runner-summary.js';
import type { Summary } from '../../metrics/summary.js';
import type { Runner, RunnerFiles, RunnerLog } from '../../runners/runner/types.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';
import type { LiveData } from '../watch/live-data.js';
import type { Attempt } from './attempt.js';
import type { LostRunner, SetUp } from './fleet.js';
import type { ReadyFleet } from './get-ready.js';
import type { Loaded } from './make-load.js';
import type { PreparedTest } from './prepare.js';
import { type RunnerNumbers, standInsFor } from './stand-ins.js';
import { startSkew } from './start-skew.js';
import { statsWanted } from './test-shape.js';

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
  'test run was aborted because k6 received',
  slowPush,
];

interface Gathered {
  readonly runner: Runner;
  readonly end: ProcessEnd;
  readonly log: RunnerLog;
  /** Missing where the runner did not come to write its numbers. */
  readonly numbers: RunnerNumbers | undefined;
}

/**
 * After the runners' end: brings in what they wrote, merges it, and writes summary.json; what was received of a runner
 * that wrote nothing stands in for it. Undefined where there are no numbers at all.
 */
export async function collectFleet(
  { context, directory, test }: Attempt,
  { runners, live, setUp }: ReadyFleet,
  { lost, releasedAt }: Loaded,
): Promise<Summary | undefined> {
  const gathered = await gather(runners, context);
  for (const one of gathered) tellEnd(one, lost, context.emit);
  for (const one of gathered) tellLog(one, context);
  tellComplaints(gathered, directory, context);
  tellShortages(gathered, context);
  const known = gathered.flatMap(({ numbers }) => (numbers === undefined ? [] : [withoutLoad(numbers, setUp)]));
  const silent = gathered.flatMap(({ runner, numbers }) => (numbers === undefined ? [runner.id] : []));
  const standIns = standInsFor(silent, known, { live, releasedAt }, { test, emit: context.emit });
  if (known.length + standIns.size === 0) return undefined;
  const skewMs = startSkew(gathered);
  if (skewMs !== undefined) context.emit({ type: 'start-skew-measured', skewMs });
  const merged = withUnnamed(merge([...known, ...standIns.values()], test, directory.run, context), test, live);
  const summary = standIns.size === 0 ? merged : { ...merged, standIns: [...standIns.keys()] };
  await directory.write(runFiles.summary, summary);
  return summary;
}

/** A setup() that failed took its time, and no VUs: k6 counts them in a test that waits, and shows none. */
function withoutLoad({ facts, summary }: RunnerNumbers, { failedAfterMs }: SetUp): RunnerNumbers {
  if (failedAfterMs === undefined) return { facts, summary };
  const { vus: _vus, vus_max: _most, ...metrics } = summary.metrics;
  return { facts: { ...facts, durationMs: failedAfterMs }, summary: { ...summary, metrics } };
}

/** How a runner came to its end; of one that was lost, how that was noticed. */
function tellEnd({ runner, end: seen, numbers, log }: Gathered, lost: readonly LostRunner[], emit: Emit): void {
  const loss = lost.find((one) => one.runner === runner);
  const { exitCode, signal, error } = loss?.end ?? seen;
  const how = {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(error === undefined ? {} : { error }),
  };
  const failed = exitCode === k6Exit.markedFailed || log.digest.markedFailed ? { markedFailed: true } : {};
  emit({ type: 'runner-ended', runner: runner.id, ...how, ...failed, lost: loss !== undefined || numbers === undefined });
}

/** The numbers of all runners first: whatever becomes of their logs, those are there. */
async function gather(runners: readonly Runner[], { emit }: RunContext): Promise<Gathered[]> {
  const ended = await Promise.all(
    runners.map(async (runner) => {
      const [end, files] = [await runner.ended, await runner.collect()];
      tellTroubles(runner, files, emit);
      return { runner, end, numbers: numbersOf(runner, files, emit) };
    }),
  );
  return Promise.all(ended.map(async (one) => ({ ...one, log: await one.runner.readLog() })));
}

function tellTroubles(runner: Runner, { troubles }: Pick<RunnerFiles, 'troubles'>, emit: Emit): void {
  for (const message of troubles) emit({ type: 'warned', code: 'files-not-kept', runner: runner.id, message });
}

/** What of its log is not there: a result does not depend on it. */
function tellLog({ runner, log }: Gathered, { emit }: RunContext): void {
  tellTroubles(runner, log, emit);
  if (log.leftOut > 0) emit({ type: 'warned', code: 'log-cut', runner: runner.id, leftOutBytes: log.leftOut });
}

function numbersOf(runner: Runner, files: RunnerFiles, emit: Emit): Gathered['numbers'] {
  if (files.summary === undefined || files.facts === undefined) return undefined;
  try {
    const facts = JSON.parse(files.facts) as RunnerFacts;
    return { facts, summary: parseRunnerSummary(JSON.parse(files.summary), facts.contains) };
  } catch (error) {
    emit({ type: 'warned', code: 'numbers-unreadable', runner: runner.id, message: errorMessage(error) });
    return undefined;
  }
}

function merge(known: readonly RunnerNumbers[], test: PreparedTest, run: RunId, { plan }: RunContext): Summary {
  const durationMs = Math.max(...known.map(({ facts }) => facts.durationMs));
  const merged = mergeRunnerSummaries(
    known.map(({ summary }) => summary),
    { durationMs, percentiles: statsWanted(plan.criteria, test) },
  );
  const { [beginMetric]: _begin, ...metrics } = merged.metrics;
  return { version: 1, run, k6Version: test.k6Version, durationMs, runners: known.length, ...merged, metrics };
}

/** k6 has sub-metrics of what was named before it began; the live data has every endpoint. */
function withUnnamed(merged: Summary, { tagged }: PreparedTest, live: LiveData): Summary {
  const metrics = { ...merged.metrics, ...unnamedParts(live.numbers, merged, tagged) };
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
