import type { Criterion } from '../../core/criterion.js';
import { type ErrorData, type ExitReason, LoadctlError } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import type { RunnerEnd } from '../../core/outcome.js';
import { formatCount, formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { Stop, StopCause } from '../../core/stop.js';
import type { Verdict } from '../../core/verdict.js';
import type { Evidence, ProbeCount } from '../../metrics/criterion.js';
import { isFailing, judge, verdictReason } from '../../metrics/judge.js';
import { k6Unit } from '../../metrics/k6-unit.js';
import { mergeGroups } from '../../metrics/merge-groups.js';
import { baseName, findMetric } from '../../metrics/metric-key.js';
import type { Summary } from '../../metrics/summary.js';
import { readScriptThresholds, type ScriptThreshold, scriptCriterion } from '../../metrics/threshold.js';
import { isInCloud } from '../../plan/cloud.js';
import { abortReason, stopReason } from '../../reporters/sentences/stop.js';
import { reasonsInWords } from '../../reporters/sentences/words.js';
import { runFiles } from '../../runs/layout.js';
import { damaged, readEvents, readJson } from '../../runs/read.js';
import { type RunRecord, readRunRecord } from '../../runs/record.js';
import { holdsNumbers, misfit, misfitIn, misfitOf, type Shape } from '../../runs/shape.js';
import { judgeCloud } from './cloud-judgement.js';
import { readSamples, withGenerators } from './generator-evidence.js';
import { lossFaults, outcomesIn, unknownFaults } from './outcomes.js';
import { readServerSide } from './server-evidence.js';

/** A run as it was found to be. */
export interface Judgement {
  readonly record: RunRecord;
  readonly summary: Summary | undefined;
  readonly verdict: Verdict;
  /** Everything that the exit status could be; empty for a pass. */
  readonly reasons: readonly ExitReason[];
}

/** Judges a run from what its directory holds, and nothing else. Throws `unavailable` for a damaged one. */
export async function judgeRun(directory: string): Promise<Judgement> {
  const record = await readRunRecord(directory);
  const summary = await readSummary(directory);
  const events = eventsOfRun(await readEvents(directory));
  if (isInCloud(record.plan)) return { record, summary, ...judgeCloud(record, events) };
  const gathered = { ...gatherEvidence(record, summary, events), ...(await readServerSide(directory, record, events)) };
  const evidence = withGenerators(gathered, {
    record,
    summary,
    events,
    samples: await readSamples(directory),
  });
  const failed = events.find((event) => event.type === 'setup-failed');
  if (failed?.type === 'setup-failed') return { record, summary, ...withoutLoad(record, failed.error) };
  const judged = judge([...record.plan.criteria, ...scriptCriteria(record, summary)], evidence);
  const verdict = failures(events).reduceRight(markFailed, judged);
  return { record, summary, verdict, reasons: exitReasons(verdict, events) };
}

/** Without a setup() there was nothing to judge, and what ended it is all there is to say. */
function withoutLoad({ run }: RunRecord, { code, message }: ErrorData): Pick<Judgement, 'verdict' | 'reasons'> {
  const verdict = code === 'test-aborted' ? 'interrupted' : 'invalid';
  return { verdict: { version: 1, run, verdict, reasons: [`${message.replace(/\.?$/, '')}.`], criteria: [] }, reasons: [code] };
}

/** What happened in the run itself: a whole test seeds before it and cleans up after it. */
function eventsOfRun(events: readonly LoggedEvent[]): readonly LoggedEvent[] {
  const from = events.findIndex((event) => event.type === 'phase-started' && event.phase === 'run');
  const to = events.findIndex((event) => event.type === 'phase-finished' && event.phase === 'run');
  return events.slice(Math.max(0, from), to === -1 ? undefined : to + 1);
}

/** summary.json of a run; undefined where it measured nothing. Throws `unavailable` for a damaged one. */
export async function readSummary(directory: string): Promise<Summary | undefined> {
  const summary = (await readJson(directory, runFiles.summary)) as Partial<Summary> | undefined;
  if (summary === undefined) return undefined;
  const wrong = summaryMisfit(summary);
  if (wrong !== undefined) throw damaged(`${directory}/${runFiles.summary}`, wrong);
  return { ...(summary as Summary), rootGroup: summary.rootGroup ?? mergeGroups([]) };
}

const shapes = {
  summary: {
    durationMs: 'number',
    wholeMs: 'number?',
    runners: 'number',
    k6Version: 'text?',
    metrics: 'fields',
    rootGroup: 'fields?',
    failed: 'list?',
  },
  metric: { type: 'text', contains: 'text', values: 'fields', bounds: 'fields' },
  group: { name: 'text', groups: 'list', checks: 'list' },
} as const satisfies Readonly<Record<string, Shape>>;

function summaryMisfit(summary: Partial<Summary>): string | undefined {
  const { metrics = {}, rootGroup } = summary;
  const odd = () => Object.keys(metrics).find((key) => !holdsNumbers(metrics[key]?.values ?? {}));
  const oddOne = (key: string | undefined) => (key === undefined ? undefined : `metrics.${key}: a value is not a number`);
  const open = () => Object.keys(metrics).find((key) => !Object.values(metrics[key]?.bounds ?? {}).every(areBounds));
  const openOne = (key: string | undefined) => (key === undefined ? undefined : `metrics.${key}: bounds are not two numbers`);
  return (
    misfit(summary, shapes.summary) ??
    misfitIn(metrics, shapes.metric, 'metrics') ??
    oddOne(odd()) ??
    openOne(open()) ??
    (rootGroup === undefined ? undefined : misfitOf(rootGroup, shapes.group, 'rootGroup'))
  );
}

function areBounds(read: unknown): boolean {
  return Array.isArray(read) && read.length === 2 && holdsNumbers(read);
}

/** The script's own thresholds as criteria; what they measure is known from the summary. */
function scriptCriteria(record: RunRecord, summary: Summary | undefined): Criterion[] {
  const { byMetric } = readScriptThresholds(record.scriptThresholds);
  return Object.entries(byMetric).flatMap(([metric, thresholds]) => {
    const is = findMetric(summary?.metrics ?? {}, metric);
    return thresholds.map((threshold) => (is === undefined ? unmeasured(metric, threshold) : scriptCriterion(metric, threshold, is)));
  });
}

/** A threshold on a metric of which nothing is known but its name. */
function unmeasured(metric: string, threshold: ScriptThreshold): Criterion {
  const unit = k6Unit(baseName(metric), threshold.expression.stat) ?? '';
  return { ...scriptCriterion(metric, threshold, { type: 'trend', contains: 'default' }), unit };
}

/** What the events of a run say about its measurement. */
function gatherEvidence(record: RunRecord, summary: Summary | undefined, events: readonly LoggedEvent[]): Evidence {
  const released = events.find((event) => event.type === 'fleet-released')?.t;
  const durationMs = summary?.durationMs ?? 0;
  const { from, to } = record.plan.steady ?? { from: 0, to: durationMs };
  const end = Math.min(to, durationMs);
  return {
    run: record.run,
    shortfalls: [],
    summary,
    probes: record.plan.target.health === undefined ? undefined : countProbes(events, released, from, end),
    windowMs: Math.max(0, end - from),
    tagged: record.tagged ?? true,
    windows: windowsOf(record, summary),
    faults: faultsIn(record, events),
    interruption: interruptionIn(record, events),
  };
}

/** How a window is called that no part of the test was chosen for. */
export const wholeTest = 'whole test';

/** What was judged, in words. */
function windowsOf({ plan: { steady } }: RunRecord, summary: Summary | undefined): Evidence['windows'] {
  if (summary === undefined) return { steady: 'nothing', test: 'nothing' };
  const test = `${wholeTest} ${formatDuration(summary.durationMs)}`;
  if (steady === undefined) return { steady: test, test };
  if (summary.durationMs <= steady.from) return { steady: 'nothing (ended before the steady part)', test };
  return { steady: `steady ${formatDuration(steady.from)}–${formatDuration(Math.min(steady.to, summary.durationMs))}`, test };
}

function countProbes(events: readonly LoggedEvent[], released: number | undefined, from: Milliseconds, to: Milliseconds): ProbeCount {
  const probes = events.flatMap((event) =>
    event.type === 'health-probed' ? [{ good: event.good, sentAt: event.t - event.elapsedMs }] : [],
  );
  const inWindow = released === undefined ? [] : probes.filter(({ sentAt }) => sentAt >= released + from && sentAt <= released + to);
  return { good: inWindow.filter(({ good }) => good).length, total: inWindow.length };
}

function faultsIn({ plan }: RunRecord, events: readonly LoggedEvent[]): string[] {
  const stop = stopIn(events);
  const endedEarly = stop !== undefined && stop.cause !== 'runner-lost' && stop.cause !== 'script';
  const outcomes = outcomesIn(events);
  const losses = lossFaults(outcomes, plan.fleet?.allowedLoss ?? 0, endedEarly ? 'early' : 'as planned');
  return [...losses, ...unknownFaults(plan.runners, outcomes), ...(stop?.cause === 'lock-lost' ? [stopReason(stop)] : [])];
}

/** What ends a load from outside; everything else is a finding of the test, or a fault of its measurement. */
const interrupting: readonly StopCause[] = ['signal', 'asked', 'unfollowed', 'script', 'live-colour', 'directory-lost', 'failed'];

/** Why the load was ended before its time. */
function stopIn(events: readonly LoggedEvent[]): Stop | undefined {
  return events.find((event) => event.type === 'fleet-stopped');
}

/** The runner in which the test was aborted, by the script or by k6; undefined where somebody else ended that runner. */
function abortIn(events: readonly LoggedEvent[]): RunnerEnd | undefined {
  const stop = stopIn(events);
  if (stop?.cause !== 'script') return undefined;
  const outcome = outcomesIn(events).find(({ runner }) => runner === stop.runner);
  return outcome === undefined || outcome.cause === 'aborted' ? (outcome ?? { cause: 'aborted' }) : undefined;
}

function interruptionIn(record: RunRecord, events: readonly LoggedEvent[]): string | undefined {
  const stop = stopIn(events);
  if (stop?.cause === 'script') {
    const abort = abortIn(events);
    return abort && abortReason(stop.runner, abort);
  }
  if (stop !== undefined && interrupting.includes(stop.cause)) return stopReason(stop);
  const ended = endedBefore(events);
  if (ended !== undefined) return ended;
  if (stop !== undefined || outcomesIn(events).length > 0) return undefined;
  const gone = `The run did not finish: loadctl (process ${record.by.pid} on ${record.by.host}) was killed or crashed.`;
  return [gone, ...lastHeard(events)].join(' ');
}

/** Why a run ended that did not come to its judgement. */
function endedBefore(events: readonly LoggedEvent[]): string | undefined {
  const reasons = reasonsOfPhase(events);
  const measured = outcomesIn(events).length > 0;
  if (measured && reasons.length === 0) return undefined;
  const failed = events.findLast((event) => event.type === 'failed' || event.type === 'step-failed');
  const when = measured
    ? 'before its verdict was written'
    : events.some((event) => event.type === 'fleet-released')
      ? 'before its numbers were there'
      : 'before any load was made';
  if (failed?.type === 'step-failed') return `The run ended ${when}: ${failed.message}`;
  return reasons.length === 0 ? undefined : `The run ended ${when}: ${reasonsInWords(reasons)}.`;
}

/** How the phase itself ended, where it did not come to its judgement; none where it did, or was killed. */
function reasonsOfPhase(events: readonly LoggedEvent[]): readonly ExitReason[] {
  const ended = events.findLast((event) => event.type === 'phase-finished');
  return ended?.type === 'phase-finished' && !events.some(({ type }) => type === 'judged') ? ended.reasons : [];
}

/** How far a load was when it was last heard of. */
function lastHeard(events: readonly LoggedEvent[]): string[] {
  const last = events.findLast((event) => event.type === 'fleet-sampled');
  if (last?.type !== 'fleet-sampled') return [];
  const { elapsedMs, totalMs, requests, failedRequests } = last;
  const far = `${formatDuration(Math.round(elapsedMs / 1000) * 1000)} of ${formatDuration(totalMs)}`;
  return [`Last known load: ${formatCount(requests)} requests in ${far}, ${formatCount(failedRequests)} of them failed.`];
}

/** What makes a run fail whatever its criteria say at the end, as sentences. */
function failures(events: readonly LoggedEvent[]): string[] {
  const crossings = events.flatMap((event) => (isCrossing(event) ? [stopReason(event)] : []));
  const marked = events.some((event) => event.type === 'runner-ended' && event.markedFailed === true);
  return [...crossings, ...(marked ? ['The script called test.fail().'] : [])];
}

/** The load was ended because the fleet crossed a threshold with `abortOnFail` or an abort rule. */
function isCrossing(event: LoggedEvent): event is Extract<LoggedEvent, { type: 'fleet-stopped' }> {
  return event.type === 'fleet-stopped' && (event.cause === 'threshold' || event.cause === 'rule');
}

function markFailed(verdict: Verdict, reason: string): Verdict {
  return { ...verdict, verdict: verdict.verdict === 'pass' ? 'fail' : verdict.verdict, reasons: [reason, ...verdict.reasons] };
}

function exitReasons(verdict: Verdict, events: readonly LoggedEvent[]): ExitReason[] {
  const before = reasonsOfPhase(events);
  if (before.length > 0) return [...before];
  const reasons = new Set<ExitReason>(events.flatMap(reasonIn));
  if (abortIn(events) !== undefined) reasons.add('test-aborted');
  const failedCriteria = events.some(isCrossing) || verdict.criteria.some(isFailing);
  if (verdict.verdict === 'invalid' && failedCriteria) reasons.add('sla-failed');
  const own = verdictReason(verdict);
  const explained = own === 'interrupted' && reasons.has('test-aborted');
  const onlyMarked = own === 'sla-failed' && reasons.has('test-failed') && !failedCriteria;
  if (own !== 'pass' && !explained && !onlyMarked) reasons.add(own);
  return [...reasons];
}

const teardownReasons = { threw: 'script-threw', aborted: 'test-aborted', 'timed-out': 'teardown-timeout' } as const;

/** The way to end that one event means by itself. */
function reasonIn(event: LoggedEvent): ExitReason[] {
  if (event.type === 'teardown-finished') return event.how === undefined ? [] : [teardownReasons[event.how]];
  if (event.type === 'runner-ended') return event.markedFailed === true ? ['test-failed'] : [];
  if (event.type !== 'fleet-stopped') return [];
  if (event.cause === 'live-colour') return ['refused'];
  if (event.cause === 'directory-lost') return ['unavailable'];
  return event.cause === 'failed' ? [event.error.code] : [];
}

/** The error for a run that is still going on: there is nothing to judge yet. */
export function stillRunning(record: RunRecord): LoadctlError {
  return new LoadctlError('unavailable', `Run ${record.run} is still running (process ${record.by.pid} on ${record.by.host}).`, {
    hint: 'Wait until it ends, then verify it.',
  });
}
