import { open, rm } from 'node:fs/promises';
import { errorCode, LoadctlError } from '../../core/errors.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';

/** Whoever holds the lock writes one small file. */
const patienceMs: Milliseconds = 10_000;
const everyMs: Milliseconds = 20;

/**
 * Does `work` while no other process that asks for the same `lock`, a file that is there meanwhile, does. Throws `unavailable` where
 * it stays: a loadctl that was killed left it. What the system says when it cannot be made is thrown as it is.
 */
export async function alone<T>(lock: string, { sleep }: Pick<Clock, 'sleep'>, work: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; !(await isTaken(lock)); waitedMs += everyMs) {
    if (waitedMs >= patienceMs) throw heldOn(lock);
    await sleep(everyMs);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function isTaken(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return false;
  }
}

function heldOn(lock: string): LoadctlError {
  return new LoadctlError('unavailable', `Another loadctl has been writing for ${patienceMs / 1000} s: ${lock} is there.`, {
    hint: `If none is at it, one was killed: remove ${lock}, then try again.`,
  });
}
