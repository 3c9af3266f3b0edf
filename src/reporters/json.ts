import { type ErrorData, type ExitReason, exitCodesOf, exitStatus } from '../core/errors.js';
import type { LoggedEvent, TracedCommand } from '../core/events.js';

/** What `--json` prints of a command: a fold over its events. */
export interface JsonReport {
  add(event: LoggedEvent): void;
  /** What is known so far; whole when the command has ended. */
  read(): Record<string, unknown>;
}

interface Told {
  command?: TracedCommand;
  environment?: string;
  run?: string;
  directory?: string;
  seeded?: Extract<LoggedEvent, { type: 'seeded' }>;
  verdict?: Extract<LoggedEvent, { type: 'judged' }>['verdict'];
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

function resultOf({ command, environment, run, directory, seeded, verdict, receipt }: Told): Record<string, unknown> {
  switch (command) {
    case 'seed':
      return { environment, stores: seeded?.stores, before: seeded?.before };
    case 'run':
      return { ...verdict, directory };
    case 'cleanup':
      return { ...receipt };
    case 'test':
      return { run, seeded: seeded?.stores, verdict, receipt };
    default:
      return {};
  }
}

/** An error with the exit status that it means by itself. */
export function withStatus(error: ErrorData): ErrorData & { readonly exitCode: number } {
  return { ...error, exitCode: exitStatus[error.code] };
}
