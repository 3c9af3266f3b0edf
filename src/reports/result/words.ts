import type { LimitPlace } from '../../core/criterion.js';
import { exitCodesOf } from '../../core/errors.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { Receipt } from '../../core/receipt.js';
import type { JudgedCriterion, Outcome } from '../../core/verdict.js';
import { failureText } from '../../metrics/judge.js';
import { monitoredText } from '../../metrics/server-reason.js';
import { actualText } from '../../reporters/criterion-text.js';
import { reasonsInWords } from '../../reporters/sentences/words.js';
import type { Judged, Result } from './result.js';

/** How a criterion came out, in words. */
export const outcomeWords: Readonly<Record<Outcome, string>> = {
  pass: 'pass',
  fail: 'fail',
  undecided: 'undecided',
  'no-data': 'no data',
  'not-measured': 'not measured',
};

/** A criterion as a statement: `p95 < 500 ms`. */
export function statement({ name, limit }: JudgedCriterion): string {
  return `${name} ${limit}`;
}

/** One criterion in a few lines: what came out against which limit, how sure that is, of which window, and where the limit stands. */
export function criterionLines(criterion: JudgedCriterion, place: LimitPlace | undefined): string[] {
  const { name, limit, window, outcome, monitored } = criterion;
  return [
    `${failureText(name, actualText(criterion), limit)}: ${outcomeWords[outcome]}`,
    ...(monitored === undefined ? [] : [`measured: ${monitoredText(monitored)}`]),
    `judged: ${window}`,
    ...(place === undefined ? [] : [`limit: ${place.file}:${place.line}`]),
  ];
}

/** Where a criterion's limit stands in the profile; undefined for those of the script, of `--set`, and of a run that did not keep it. */
export function placeOfLimit({ record }: Judged, index: number): LimitPlace | undefined {
  return record.limits?.[index] ?? undefined;
}

/** The one word for all that came out, in capitals: the verdict, or what kept a command from one. */
export function headWord({ judged, reasons }: Result): string {
  const word = judged?.verdict.verdict;
  if (word !== undefined && (word !== 'pass' || reasons.length === 0)) return word.toUpperCase();
  return reasons.length === 0 ? 'PASS' : 'FAIL';
}

/** How a command ended, in words: `exit 99: the SLA was not met`. */
export function endWords({ reasons }: Pick<Result, 'reasons'>): string {
  return reasons.length === 0 ? 'exit 0: passed' : `exit ${exitCodesOf(reasons).exitCode}: ${reasonsInWords(reasons)}`;
}

/** What a cleanup's receipt says, as one line. */
export function receiptWords({ proven, dryRun }: Receipt): string {
  if (dryRun) return 'DRY RUN: nothing was changed';
  return proven ? 'CLEAN: nothing of the test is left' : 'NOT PROVEN: test data may remain';
}

/** How long the judged window was; the whole test where there is none. */
export function windowMs({ record, summary }: Judged): Milliseconds {
  const lasted = summary?.durationMs ?? 0;
  const { from, to } = record.plan.steady ?? { from: 0, to: lasted };
  return Math.max(0, Math.min(to, lasted) - from);
}

/** What ran, on one line: `run …, 2 runners, k6 2.2.0, 50s`. */
export function runWords({ record, summary, verdict }: Judged): string {
  const measured = summary === undefined ? [] : [`${summary.runners} runners with numbers`, formatDuration(summary.durationMs)];
  return [`run ${verdict.run}`, `loadctl ${record.versions.loadctl}`, `k6 ${record.versions.k6}`, ...measured].join(', ');
}
