import type { ExitReason } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import { type Receipt, receiptVersion } from '../../core/receipt.js';
import type { Result } from '../../reports/result/result.js';
import { told } from '../../reports/result/told.js';
import { runFiles } from '../../runs/layout.js';
import { madeOf, readEvents, readJson } from '../../runs/read.js';
import { judgeRun } from '../verify/judgement.js';
import { readCourse } from './read-course.js';

/** All that a run directory says, judged once more. Throws `unavailable` for a damaged one. */
export async function readResult(directory: string): Promise<Result> {
  return madeOf(directory, () => resultOf(directory));
}

/** The same, and what a comparison came to; where `worse` is to fail the call, that is a reason. */
export async function comparedResult(directory: string, compared: Result['compared']): Promise<Result> {
  const result = await readResult(directory);
  if (compared === undefined) return result;
  const isWorse = compared.isGate && compared.changes.some(({ gated, word }) => gated && word === 'worse');
  return { ...result, compared, reasons: [...new Set<ExitReason>([...result.reasons, ...(isWorse ? ['sla-failed' as const] : [])])] };
}

async function resultOf(directory: string): Promise<Result> {
  const judgement = await judgeRun(directory);
  const { record, summary, verdict, reasons } = judgement;
  const events = await readEvents(directory);
  const { errors, reasons: ended } = toldBy(events, record.environment);
  const receipt = await readReceipt(directory);
  return {
    environment: record.environment,
    judged: { record, summary, verdict },
    course: await readCourse(directory, judgement, events),
    ...(receipt === undefined ? {} : { receipt }),
    errors,
    reasons: [...new Set<ExitReason>([...ended, ...reasons])],
  };
}

function toldBy(events: readonly LoggedEvent[], environment: string): Omit<Result, 'judged'> {
  const result = told(environment);
  events.forEach(result.add);
  return result.read();
}

/** The receipt of the last cleanup, which may have come long after the run; undefined for one of another version. */
async function readReceipt(directory: string): Promise<Receipt | undefined> {
  const receipt = (await readJson(directory, runFiles.receipt)) as Receipt | undefined;
  return receipt?.version === receiptVersion ? receipt : undefined;
}
