import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { Execute, World } from '../../core/os.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import { callAfter } from '../../core/timer.js';

/** Reading a script that takes longer than this is worth a line. */
const slowMs: Milliseconds = 5000;

/** What k6 reads, and how long that may take. */
export interface Reading {
  /** The path as people would type it. */
  readonly script: string;
  readonly limitMs: Milliseconds;
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
  readonly emit: Emit;
}

/**
 * Runs k6 where it reads a script, whose init code may do anything, and may never end: it has a limit, ends with whoever waits
 * for it, and it is told when it takes long. Throws `interrupted` and `unavailable`.
 */
export function scriptReader({ clock, execute }: Pick<World, 'clock' | 'execute'>, { script, limitMs, signal, emit }: Reading): Execute {
  return async (command) => {
    const begun = clock.elapsed();
    const quiet = callAfter(clock, slowMs, () => emit({ type: 'noted', code: 'script-slow', script, forMs: slowMs, limitMs }));
    const output = await execute(command, { leashed: true, timeoutMs: limitMs, signal });
    quiet();
    if (signal.aborted) throw new LoadctlError('interrupted', 'Interrupted while k6 read the script; nothing was run.');
    if (output.signal === undefined || clock.elapsed() - begun < limitMs) return output;
    throw new LoadctlError(
      'unavailable',
      `k6 did not get through ${script} within ${formatDuration(limitMs)}: its init code did not end.`,
      {
        hint: 'Nothing was run. Look for a loop or a library that waits in its init code, or raise runners.readyTimeout.',
      },
    );
  };
}
