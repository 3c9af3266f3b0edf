import type { RunnerEnd } from '../../core/outcome.js';

/** How a runner ended, in words that go into brackets. */
export function endText({ cause, exitCode, signal, said }: RunnerEnd): string {
  switch (cause) {
    case 'reached-end':
      return 'it reached its end';
    case 'stopped':
      return 'it was stopped';
    case 'aborted':
      return said ?? 'it aborted the test';
    case 'cut-off':
      return 'it was ended at once';
    case 'ended-outside':
      return `ended from outside, ${exitCode === undefined ? signal : `exit code ${exitCode}`}`;
    case 'killed':
      return said ?? `killed by ${signal}`;
    case 'crashed':
      return `exit code ${exitCode ?? '?'}`;
    case 'frozen':
      return 'its process is frozen';
    case 'silent':
      return 'it does not answer any more';
    case 'overdue':
      return 'its load did not end';
    case 'gone':
      return 'its process ended; how is unknown';
    case 'out-of-reach':
      return said ?? 'its host cannot be reached any more';
    case 'not-released':
      return `it could not be released: ${said ?? 'no answer'}`;
  }
}
