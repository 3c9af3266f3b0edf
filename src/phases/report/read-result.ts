import { type ExitReason, LoadctlError } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import { type Receipt, receiptVersion } from '../../core/receipt.js';
import { mostCourses, type RunCourse } from '../../reports/result/overlay.js';
import type { Result } from '../../reports/result/result.js';
import { told } from '../../reports/result/told.js';
import { runFiles } from '../../runs/layout.js';
import { madeOf, readEvents, readJson } from '../../runs/read.js';
import { type Compared, isWorse } from '../compare/compare-runs.js';
import { judgeRun } from '../verify/judgement.js';
import { readCourse, readSeconds } from './read-course.js';

/** All that a run directory says, judged once more. Throws `unavailable` for a damaged one. */
export async function readResult(directory: string): Promise<Result> {
  return madeOf(directory, () => resultOf(directory));
}

/** A comparison, and whether `worse` is to fail the call. */
export type Gated = Compared & { readonly isGate: boolean };

/** The same, and what a comparison came to; where `worse` is to fail the call, that is a reason. */
export async function comparedResult(directory: string, compared: Gated | undefined): Promise<Result> {
  const result = await readResult(directory);
  if (compared === undefined) return result;
  const fails = compared.isGate && isWorse(compared);
  return {
    ...result,
    compared: { ...compared, courses: await coursesOf(compared) },
    reasons: [...new Set<ExitReason>([...result.reasons, ...(fails ? ['sla-failed' as const] : [])])],
  };
}

/** The newest of both sides, as far as they are here and can be read: half of them new at most. */
async function coursesOf({ later, earlier, directories }: Compared): Promise<RunCourse[]> {
  const newest = (runs: Compared['later'], most: number) => runs.toSorted((a, b) => b.startedAt - a.startedAt).slice(0, most);
  const first = newest(later, mostCourses / 2);
  const shown = [...first, ...newest(earlier, mostCourses - first.length)];
  const courses = await Promise.all(
    shown.map(async (one) => {
      const { columns } = await readSeconds(directories.get(one.run) ?? '').catch(noneWhereDamaged);
      return { run: one.run, isNew: first.includes(one), columns };
    }),
  );
  return courses.filter(({ columns }) => columns.length > 0);
}

/** What a baseline knows of a run is compared without its directory. */
function noneWhereDamaged(error: unknown): { readonly columns: [] } {
  if (error instanceof LoadctlError) return { columns: [] };
  throw error;
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
