import { expect, test } from 'vitest';
import { isPending, unlessAborted } from '../../src/core/abort.js';
import { besideIn } from '../../src/core/beside.js';
import { scope } from '../../src/core/scope.js';
import { repeat, within } from '../../src/core/timer.js';

/** A clock whose sleeps are over at once, some of them later than asked for; the wall clock goes its own way. */
function clockThatIsLate(lateMs: readonly number[]) {
  let now = 0;
  let sleeps = 0;
  return {
    elapsed: () => now,
    sleep: async (ms: number) => {
      now += ms + (lateMs[sleeps++] ?? 0);
    },
  };
}

test('ticks come when they are due; those that were missed are left out, not made up for', async () => {
  const clock = clockThatIsLate([0, 0, 5300, 0, 0]);
  const over = new AbortController();
  const at: number[] = [];
  await repeat(clock, 1000, over.signal, () => {
    at.push(clock.elapsed());
    if (at.length === 5) over.abort();
  });
  expect(at).toEqual([1000, 2000, 8300, 9000, 10_000]);
});

test('work that takes longer than a tick is not repeated in a hurry', async () => {
  const clock = clockThatIsLate([]);
  const over = new AbortController();
  const at: number[] = [];
  await repeat(clock, 1000, over.signal, async () => {
    at.push(clock.elapsed());
    await clock.sleep(2500);
    if (at.length === 3) over.abort();
  });
  expect(at).toEqual([1000, 4000, 7000]);
});

test('a deadline is the clock’s: work that outlives it hears of it, and nothing waits for it after work that is done', async () => {
  const waiting: { readonly over: () => void; readonly signal: AbortSignal | undefined }[] = [];
  const clock = { sleep: (_: number, signal?: AbortSignal) => new Promise<void>((over) => waiting.push({ over, signal })) };
  const late = within(clock, 5000, async (signal) => {
    await unlessAborted(new Promise(() => {}), signal);
    throw signal.reason;
  });
  waiting[0]?.over();
  await expect(late).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await within(clock, 5000, async (signal) => signal.aborted)).toBe(false);
  expect(waiting.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
});

test('what goes on beside a scope is ended and waited for; its failure is told at once, and hides nothing', async () => {
  const told: string[] = [];
  const failed = (error: unknown) => told.push(`failed: ${String(error)}`);
  const value = await scope(async (defer) => {
    const beside = besideIn(defer, failed);
    beside(async (over) => {
      await unlessAborted(new Promise(() => {}), over);
      told.push('ended');
    });
    const end = beside(async () => {
      throw new Error('boom');
    });
    await end();
    told.push('body');
    return 7;
  });
  expect([value, told]).toEqual([7, ['failed: Error: boom', 'body', 'ended']]);
});

test('a promise is pending until it comes to something', async () => {
  expect(
    await Promise.all([isPending(new Promise(() => {})), isPending(Promise.resolve()), isPending(Promise.reject(new Error('no')))]),
  ).toEqual([true, false, false]);
});
