import type { LoggedEvent } from '../../core/events.js';
import type { Result } from './result.js';

/** What events tell of a {@link Result}: all of it but what was measured. */
export interface Told {
  add(event: LoggedEvent): void;
  /** What is known so far; whole when the command has ended. */
  read(): Omit<Result, 'judged'>;
  /** Where the run is; undefined where none began. */
  directory(): string | undefined;
}

/** A {@link Told} at the start of its events. */
export function told(environment: string): Told {
  let result: Omit<Result, 'judged'> = { environment, errors: [], reasons: [] };
  let directory: string | undefined;
  return {
    add: (event) => {
      if (event.type === 'run-opened') directory = event.directory;
      if (event.type === 'failed') result = { ...result, errors: [...result.errors, event.error] };
      if (event.type === 'receipt-made') result = { ...result, receipt: event.receipt };
      if (event.type === 'command-finished') result = { ...result, reasons: event.reasons };
    },
    read: () => result,
    directory: () => directory,
  };
}
