import { type ErrorData, type ExitReason, exitCodesOf, exitStatus } from '../core/errors.js';
import type { LoggedEvent, Stamp, TracedCommand } from '../core/events.js';
import type { Verdict } from '../core/verdict.js';
import { limitOf } from './criterion-text.js';

/** The version of what `--json` prints, where that has none of its own. A field that comes is no new version; one that goes, or means something else, is. */
export const documentVersion = 1;

/** What `--json` prints of a command: a fold over its events. */
export interface JsonReport {
  add(event: LoggedEvent): void;
  /** What is known so far; whole when the command has ended. */
  read(): Record<string, unknown>;
}

type MeasuredEvent = Extract<LoggedEvent, { type: 'measured' }>;
type Measured = Omit<MeasuredEvent, 'type' | 'run' | 'checks' | keyof Stamp>;

interface Told {
  command?: TracedCommand;
  environment?: string;
  run?: string;
  directory?: string;
  seeded?: Extract<LoggedEvent, { type: 'seeded' }>;
  measured?: Measured;
  verdict?: Verdict;
  receipt?: Extract<LoggedEvent, { type: 'receipt-made' }>['receipt'];
  /** What ended the command. */
  error?: ErrorData;
  /** What ended a phase of a whole test. */
  readonly errors: ErrorData[];
  reasons: readonly ExitReason[];
}

/** A {@link JsonReport} at the start of its events. */
export function jsonReport(): JsonReport {
  const told: Told = { errors: [], reasons: [] };
  return { add: (event) => hear(told, event), read: () => shown(told) };
}

function hear(told: Told, event: LoggedEvent): void {
  if (event.type === 'command-started') Object.assign(told, { command: event.command, environment: event.environment });
  if (event.type === 'run-opened') Object.assign(told, { run: event.run, directory: event.directory });
  if (event.type === 'seeded') told.seeded = event;
  if (event.type === 'measured') told.measured = measuredIn(event);
  if (event.type === 'judged') told.verdict = event.verdict;
  if (event.type === 'receipt-made') told.receipt = event.receipt;
  if (event.type === 'failed' && event.phase === undefined) told.error = event.error;
  if (event.type === 'failed' && event.phase !== undefined) told.errors.push(event.error);
  if (event.type === 'command-finished') told.reasons = event.reasons;
}

function shown(told: Told): Record<string, unknown> {
  const ending = exitCodesOf(told.reasons);
  if (told.error !== undefined) return { error: withStatus(told.error), ...ending };
  const errors = told.errors.length === 0 ? {} : { errors: told.errors.map(withStatus) };
  return { ...resultOf(told), ...errors, ...ending };
}

function measuredIn({ at: _, t: __, type: ___, run: ____, checks: _____, ...measured }: MeasuredEvent): Measured {
  return measured;
}

/** The limits of a verdict's criteria for programs, in their order. */
function limitsOf({ criteria }: Verdict): Record<string, unknown>[] {
  return criteria.map(({ limit, unit }) => ({
    operator: /^[<>=!]+/.exec(limit)?.[0],
    value: limitOf(limit, unit),
    unit,
    expression: limit,
  }));
}

function resultOf({ command, environment, run, directory, seeded, measured, verdict, receipt }: Told): Record<string, unknown> {
  const limits = verdict && limitsOf(verdict);
  switch (command) {
    case 'seed':
      return { environment, stores: seeded?.stores, before: seeded?.before };
    case 'run':
      return { ...verdict, limits, measured, directory };
    case 'cleanup':
      return { ...receipt };
    case 'test':
      return { run, seeded: seeded?.stores, verdict, limits, measured, receipt };
    default:
      return {};
  }
}

/** An error with the exit status that it means by itself. */
export function withStatus(error: ErrorData): ErrorData & { readonly exitCode: number } {
  return { ...error, exitCode: exitStatus[error.code] };
}
