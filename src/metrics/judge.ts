import type { Criterion } from '../core/criterion.js';
import type { ExitReason } from '../core/errors.js';
import { formatCount } from '../core/quantities.js';
import type { JudgedCriterion, Outcome, Verdict, VerdictWord } from '../core/verdict.js';
import type { Evidence, ServerOutcome, Shortfall } from './criterion.js';
import { culpritsOf, failedInWords } from './culprits.js';
import { decide, type Evaluated, evaluate, exactly, type Measured } from './evaluate.js';
import { formatLimit, formatValue } from './limit-text.js';
import { baseName, findMetric } from './metric-key.js';
import { isOfScript } from './script-numbers.js';
import { serverReason } from './server-reason.js';
import type { Summary, SummaryMetric } from './summary.js';
import { hasWindow, windowKey, windowRate } from './window.js';

/**
 * What a run is found to be (design §2 to §5). Interrupted goes before invalid, invalid before fail; every criterion is
 * listed whatever the word is. A limit for the servers that no monitor measured fails nothing by itself: it is said.
 * Without any criterion a run passes, and the reason says that nothing was judged; so it does where there are no numbers.
 */
export function judge(criteria: readonly Criterion[], evidence: Evidence): Verdict {
  const judged = criteria.map((criterion) => judgeOne(inItsWindow(criterion), evidence));
  const failed = judged.some(({ row }) => isFailing(row));
  const unmeasured = judged.flatMap(({ reason, isFault }) => (isFault ? [reason] : []));
  const faults = [...evidence.faults, ...unmeasured, ...missingLoad(evidence), ...(failed ? [] : evidence.shortfalls.map(asFault))];
  const unsaid: readonly Outcome[] = evidence.summary === undefined ? ['pass', 'no-data'] : ['pass'];
  const said = judged.flatMap(({ row, reason, isFault, isPartial }) =>
    (unsaid.includes(row.outcome) && !isPartial) || isFault ? [] : [reason],
  );
  const short = failed ? evidence.shortfalls.map(({ what }) => `Not all of the planned load was made: ${what}.`) : [];
  return {
    version: 1,
    run: evidence.run,
    verdict: verdictWord(evidence.interruption !== undefined, faults.length > 0, failed),
    reasons: [
      ...allFailed(criteria, evidence),
      ...(evidence.interruption === undefined ? [] : [evidence.interruption]),
      ...faults,
      ...said,
      ...short,
      ...nothingJudged(criteria, evidence),
    ],
    criteria: judged.map(({ row }) => row),
  };
}

/** A test of which every request failed says nothing of the target but that; a verdict that looks elsewhere hides it. */
function allFailed(criteria: readonly Criterion[], { summary, tagged }: Evidence): string[] {
  const metric = summary && metricFor('http_req_failed', { window: 'steady' }, summary, { tagged });
  const { passes = 0, fails = 0 } = metric?.values ?? {};
  if (passes === 0 || fails > 0 || criteria.some((criterion) => looksAtErrors(criterion, summary))) return [];
  const which = failedInWords(summary?.failed ?? []);
  return [`All ${formatCount(passes)} requests failed${which === undefined ? '' : ` (${which})`}, and no limit looks at errors.`];
}

/** A Rate or Counter of the script's own may count errors, or what went well: only the script knows. One that was never added to looks at nothing. */
function looksAtErrors({ metric: key }: Criterion, summary: Summary | undefined): boolean {
  if (['http_req_failed', 'availability', 'checks'].includes(baseName(key))) return true;
  const metric = isOfScript(key) ? findMetric(summary?.metrics ?? {}, key) : undefined;
  if (metric?.type !== 'rate' && metric?.type !== 'counter') return false;
  const { count = 0, passes = 0, fails = 0 } = metric.values;
  return count + passes + fails > 0;
}

function nothingJudged(criteria: readonly Criterion[], { summary, interruption }: Evidence): string[] {
  if (criteria.length === 0) return ['Nothing was judged: the profile has no sla and the script no thresholds.'];
  return summary === undefined && interruption !== undefined ? ['Nothing was judged: the run has no numbers.'] : [];
}

/** A target that keeps its limits did not hold the load up. */
function asFault({ what, advice }: Shortfall): string {
  return `Not all of the planned load was made, while the target was within its limits: ${what}. To fix it, ${advice}.`;
}

/** What has no window of its own is judged over the whole test, and the table says so. */
function inItsWindow(criterion: Criterion): Criterion {
  return criterion.source === 'client' && !hasWindow(criterion.metric) ? { ...criterion, window: 'test' } : criterion;
}

/** Whether a row fails the verdict. A limit for the servers without data is a fault of the measurement. */
export function isFailing({ outcome, source }: Pick<JudgedCriterion, 'outcome' | 'source'>): boolean {
  return outcome === 'fail' || outcome === 'undecided' || (outcome === 'no-data' && source !== 'server');
}

function verdictWord(interrupted: boolean, faulty: boolean, failed: boolean): VerdictWord {
  if (interrupted) return 'interrupted';
  return faulty ? 'invalid' : failed ? 'fail' : 'pass';
}

/** The way to end that a verdict means. */
export function verdictReason(verdict: Pick<Verdict, 'verdict'>): ExitReason {
  return ({ pass: 'pass', fail: 'sla-failed', invalid: 'result-invalid', interrupted: 'interrupted' } as const)[verdict.verdict];
}

/** A run that came to its end without numbers, or whose numbers show no load, measured nothing. */
function missingLoad({ summary, interruption }: Evidence): string[] {
  if (interruption !== undefined) return [];
  if (summary === undefined) return ['No runner wrote its numbers.'];
  return hasLoad(summary) ? [] : ['The test made no load: not one iteration ended and nothing was measured.'];
}

const notLoad = new Set(['vus', 'vus_max', 'data_sent', 'data_received', 'dropped_iterations']);

function hasLoad({ metrics }: Summary): boolean {
  return Object.entries(metrics).some(([key, metric]) => {
    const { count, passes = 0, fails = 0 } = metric.values;
    return metric.type !== 'gauge' && !notLoad.has(baseName(key)) && (count ?? passes + fails) > 0;
  });
}

interface Judged {
  readonly row: JudgedCriterion;
  readonly reason: string;
  /** The measurement is at fault. */
  readonly isFault: boolean;
  /** It holds by what was measured, and not all was. */
  readonly isPartial: boolean;
}

function judgeOne(criterion: Criterion, evidence: Evidence): Judged {
  const { name, source, metric, unit } = criterion;
  const found: Found = source === 'server' ? (evidence.servers?.(criterion) ?? { outcome: 'not-measured' }) : measure(criterion, evidence);
  const { outcome, measured, neverAdded, monitored } = found;
  const { value: actual, low, high } = measured ?? { value: null, low: null, high: null };
  const window = evidence.windows[criterion.window];
  const row = {
    name,
    source,
    metric,
    limit: formatLimit(criterion),
    actual,
    low,
    high,
    unit,
    window,
    outcome,
    ...(monitored && { monitored }),
  };
  const culprits = outcome === 'fail' && evidence.summary !== undefined ? culpritsOf(criterion, evidence.summary) : undefined;
  return {
    row: neverAdded ? { ...row, neverAdded } : row,
    reason: source === 'server' ? serverReason(criterion, found) : reasonFor(criterion, outcome, measured, culprits),
    isFault: found.isFault === true,
    isPartial: found.missing !== undefined && outcome === 'pass',
  };
}

type Found = Omit<Evaluated, 'outcome'> & ServerOutcome;

function reasonFor(criterion: Criterion, outcome: Outcome, measured: Measured | undefined, culprits: string | undefined): string {
  const { name } = criterion;
  const limit = formatLimit(criterion);
  if (measured === undefined) return `${name} has no data (limit ${limit}): no data is never a pass.`;
  const say = (value: number): string => formatValue(value, criterion.unit, criterion.limit);
  if (outcome === 'undecided') {
    return `${name} lies between ${say(measured.low)} and ${say(measured.high)}, limit ${limit}: undecided; counts as a failure.`;
  }
  return `${failureText(name, say(measured.value), limit)}${culprits === undefined ? '' : `: ${culprits}`}.`;
}

/** What a table says of a broken limit, too: `errors 100% (limit < 1%)`. */
export function failureText(name: string, value: string, limit: string): string {
  return `${name} ${value} (limit ${limit})`;
}

function measure(criterion: Criterion, evidence: Evidence): Evaluated {
  const { operator, limit, metric: key, stat, window } = criterion;
  const held = (measured: Measured | undefined): Evaluated =>
    measured === undefined ? { outcome: 'no-data' } : { outcome: decide(operator, limit, measured), measured };
  const { summary } = evidence;
  if (summary === undefined) return held(key === 'availability' ? probedAvailability(evidence) : undefined);
  if (key === 'availability') return held(availability(summary, criterion, evidence));
  if (!hasLoad(summary)) return { outcome: 'no-data' };
  const metric = metricFor(key, criterion, summary, evidence);
  if (metric?.type === 'counter' && stat === 'rate' && window === 'steady') {
    const rate = windowRate(metric, evidence.windowMs);
    return held(rate === undefined ? undefined : exactly(rate));
  }
  return evaluate(key, criterion, metric);
}

function metricFor(
  key: string,
  { window }: Pick<Criterion, 'window'>,
  { metrics }: Summary,
  { tagged }: Pick<Evidence, 'tagged'>,
): SummaryMetric | undefined {
  return findMetric(metrics, tagged && window === 'steady' ? windowKey(key) : key);
}

/** The share of good health probes; of good requests where the profile has no health endpoint. */
function availability(summary: Summary, criterion: Criterion, evidence: Evidence): Measured | undefined {
  if (evidence.probes !== undefined) return probedAvailability(evidence);
  const failed = metricFor('http_req_failed', criterion, summary, evidence);
  const { passes: bad = 0, fails: good = 0 } = failed?.values ?? {};
  return share(good, good + bad);
}

function probedAvailability({ probes }: Evidence): Measured | undefined {
  return probes && share(probes.good, probes.total);
}

function share(part: number, whole: number): Measured | undefined {
  return whole > 0 ? exactly(part / whole) : undefined;
}
