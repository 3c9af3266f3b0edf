import type { ErrorData, ExitReason } from '../../core/errors.js';
import type { Receipt } from '../../core/receipt.js';
import type { Verdict } from '../../core/verdict.js';
import type { Summary } from '../../metrics/summary.js';
import type { ShownComparison } from '../../reporters/compare-table.js';
import type { RunRecord } from '../../runs/record.js';
import type { Course } from './course.js';
import type { RunCourse } from './overlay.js';

/** A run as it was found to be. */
export interface Judged {
  readonly record: RunRecord;
  /** Missing where nothing was measured. */
  readonly summary: Summary | undefined;
  readonly verdict: Verdict;
}

/** All that the files about a run are made from: what its directory holds, or what a command told that came to none. */
export interface Result {
  readonly environment: string;
  /** Missing where no run began. */
  readonly judged?: Judged;
  /** Missing where no run began. */
  readonly course?: Course;
  /** Of the cleanup after it. */
  readonly receipt?: Receipt;
  /** With earlier runs, where that was asked for; whether `worse` fails the call. */
  readonly compared?: ShownComparison & { readonly isGate: boolean; readonly courses: readonly RunCourse[] };
  /** What ended the command, or a phase of a whole test. */
  readonly errors: readonly ErrorData[];
  /** Everything that the exit status could be; empty for a pass. */
  readonly reasons: readonly ExitReason[];
}
