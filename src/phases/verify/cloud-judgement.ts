import type { CloudEnd, CloudOutcome } from '../../core/cloud.js';
import type { ExitReason } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import type { JudgedCriterion, Outcome, Verdict, VerdictWord } from '../../core/verdict.js';
import { formatLimit } from '../../metrics/limit-text.js';
import { readScriptThresholds } from '../../metrics/threshold.js';
import { cloudLimits } from '../../plan/cloud.js';
import { cloudEndText } from '../../reporters/sentences/cloud.js';
import { stopReason } from '../../reporters/sentences/stop.js';
import { reasonsInWords } from '../../reporters/sentences/words.js';
import type { RunRecord } from '../../runs/record.js';

/** What a run in Grafana Cloud was found to be, and every way to end that holds. */
export interface CloudJudgement {
  readonly verdict: Verdict;
  readonly reasons: readonly ExitReason[];
}

/**
 * Judges a run in Grafana Cloud by what k6 said of it: whether all thresholds held there is one criterion, without numbers, as k6
 * brings none back. Availability and limits for the servers are not measured.
 */
export function judgeCloud(record: RunRecord, events: readonly LoggedEvent[]): CloudJudgement {
  const ended = events.find((event) => event.type === 'cloud-run-ended');
  const outcome = ended?.type === 'cloud-run-ended' ? ended : undefined;
  const stop = events.find((event) => event.type === 'fleet-stopped');
  const interruption = stop?.type === 'fleet-stopped' ? stopReason(stop) : undefined;
  const { unmeasured } = cloudLimits(record.plan.criteria);
  const count = thresholdsOf(record);
  const criteria = [...(count === 0 ? [] : [thresholdsRow(count, outcome)]), ...unmeasured.map(unmeasuredRow)];
  const word = wordOf(outcome, interruption);
  const before = interruption === undefined ? [] : [interruption];
  const said = [...before, ...(outcome === undefined ? [neverEnded(record, events)] : whatCame(outcome, urlIn(events)))];
  const verdict: Verdict = {
    version: 1,
    run: record.run,
    verdict: word,
    reasons: [
      ...said,
      ...unmeasured.map((criterion) => `${criterion.name} was not measured (limit ${formatLimit(criterion)}): Grafana Cloud does not.`),
      ...(criteria.length === 0 ? ['Nothing was judged: the profile has no sla and the script no thresholds.'] : []),
    ],
    criteria,
  };
  return { verdict, reasons: reasonsOf(word, outcome, events) };
}

const words: Readonly<Record<CloudEnd, VerdictWord>> = {
  passed: 'pass',
  'thresholds-failed': 'fail',
  failed: 'invalid',
  aborted: 'invalid',
  'aborted-by-user': 'interrupted',
  'progress-lost': 'invalid',
  left: 'invalid',
  unknown: 'invalid',
};

function wordOf(outcome: CloudOutcome | undefined, interruption: string | undefined): VerdictWord {
  if (outcome === undefined) return 'interrupted';
  return interruption !== undefined && outcome.how !== 'thresholds-failed' ? 'interrupted' : words[outcome.how];
}

function whatCame(outcome: CloudOutcome, url: string | undefined): string[] {
  if (outcome.how === 'passed') return [];
  return [`${cloudEndText(outcome)}${url === undefined ? '' : ` See ${url}`}`];
}

/** How many thresholds the run was given: those of the plan and the script's own. */
function thresholdsOf({ plan, scriptThresholds }: RunRecord): number {
  const ofPlan = Object.values(cloudLimits(plan.criteria).thresholds).flat();
  return ofPlan.length + Object.values(readScriptThresholds(scriptThresholds).byMetric).flat().length;
}

/** The name of the one criterion that comes back. */
export const cloudThresholds = 'thresholds (Grafana Cloud)';

function thresholdsRow(count: number, outcome: CloudOutcome | undefined): JudgedCriterion {
  const outcomes: { readonly [How in CloudEnd]?: Outcome } = { passed: 'pass', 'thresholds-failed': 'fail' };
  return {
    ...unknownValue,
    name: cloudThresholds,
    source: 'script',
    metric: 'thresholds',
    limit: count === 1 ? 'the one holds' : `all ${count} hold`,
    outcome: (outcome && outcomes[outcome.how]) ?? 'no-data',
  };
}

const unknownValue = { actual: null, low: null, high: null, unit: '', window: 'whole test' } as const;

function unmeasuredRow(criterion: RunRecord['plan']['criteria'][number]): JudgedCriterion {
  const { name, source, metric, unit } = criterion;
  return { ...unknownValue, name, source, metric, unit, limit: formatLimit(criterion), outcome: 'not-measured' };
}

function urlIn(events: readonly LoggedEvent[]): string | undefined {
  const started = events.find((event) => event.type === 'cloud-run-started');
  return started?.type === 'cloud-run-started' ? started.url : undefined;
}

/** Why there is no outcome: the phase failed before one, or nobody was left to write it. */
function neverEnded({ by }: RunRecord, events: readonly LoggedEvent[]): string {
  const url = urlIn(events);
  const finished = phaseReasons(events);
  if (finished.length > 0 && url === undefined) return `Grafana Cloud did not say that it has the run: ${reasonsInWords(finished)}.`;
  const why = finished.length > 0 ? reasonsInWords(finished) : `loadctl (process ${by.pid} on ${by.host}) was killed or crashed`;
  const where =
    url === undefined ? ' Whether one began in Grafana Cloud, the page of the project shows.' : ` It may go on in Grafana Cloud: ${url}`;
  return `The run was not followed to its end: ${why}.${where}`;
}

function phaseReasons(events: readonly LoggedEvent[]): readonly ExitReason[] {
  const ended = events.findLast((event) => event.type === 'phase-finished');
  return ended?.type === 'phase-finished' && !events.some(({ type }) => type === 'judged') ? ended.reasons : [];
}

function reasonsOf(word: VerdictWord, outcome: CloudOutcome | undefined, events: readonly LoggedEvent[]): ExitReason[] {
  const before = phaseReasons(events);
  if (before.length > 0) return [...before];
  const away: readonly (CloudEnd | undefined)[] = ['progress-lost', 'left', 'unknown'];
  const own = ({ pass: [], fail: ['sla-failed'], invalid: ['result-invalid'], interrupted: ['interrupted'] } as const)[word];
  return [...own, ...(word === 'invalid' && away.includes(outcome?.how) ? (['unavailable'] as const) : [])];
}
