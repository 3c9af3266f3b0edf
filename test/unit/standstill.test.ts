import { expect, test } from 'vitest';
import { type Look, standstill } from '../../src/phases/run/standstill.js';

const everyMs = 250;

type Seen = readonly [afterMs: number, state: string, cpuMs: number, scheduledMs?: number];

/**
 * How long a process stood still, by looks that came after so many milliseconds each, in this state, with so much CPU time used
 * since the one before, and so much time in which loadctl ran or waited for a CPU.
 */
function stillMs(looks: readonly Seen[]): number {
  const account = standstill();
  let [at, processMs, scheduledMs] = [0, 0, 0];
  let before: Look | undefined;
  for (const [afterMs, processState, cpuMs, ownMs = 0] of looks) {
    at += afterMs;
    scheduledMs += ownMs;
    processMs += cpuMs;
    const look = { at, process: { processState, processMs }, scheduledMs };
    account.looked(look, { before, heardAt: before?.at ?? 0, dueAfterMs: everyMs });
    before = look;
  }
  return account.ms();
}

const usual = [everyMs, 'S', 50] as const;
const stopped = [everyMs, 'T', 0] as const;
const times = (count: number, ...looks: Seen[]) => Array.from({ length: count }, () => looks).flat();

test.each([
  ['that goes on', times(40, usual), 0],
  ['that was stopped again and again', times(5, usual, usual, stopped, stopped, stopped), 3750],
  ['that has nothing to do for a while', [...times(20, usual), ...times(20, [everyMs, 'S', 0])], 0],
  ['that was stopped with loadctl, again and again', times(5, usual, usual, [1750, 'S', 50]), 7500],
  ['that went on while loadctl was stopped', times(5, usual, usual, [1750, 'S', 350]), 0],
  ['that went on a little slower then', times(5, usual, usual, [1750, 'S', 250]), 0],
  ['that had little CPU, as loadctl, for others used it', times(5, usual, usual, [1750, 'S', 20, 1400]), 0],
  ['that uses next to no CPU, and of which nothing is known then', times(5, [everyMs, 'S', 0], [everyMs, 'S', 0], [1750, 'S', 0]), 0],
  ['of which loadctl was woken before it', [...times(10, usual), [1750, 'T', 50], usual] as const, 1750],
])('a process %s', (_, looks, ms) => {
  expect(stillMs(looks)).toBe(ms);
});

test('where looks are rare, a stopped process stood still since it was last heard of, or seen so', () => {
  const account = standstill();
  const look = (at: number) => ({ at, process: { processState: 'T', processMs: 0 } });
  account.looked(look(1000), { before: undefined, heardAt: 400, dueAfterMs: undefined });
  account.looked(look(1250), { before: look(1000), heardAt: 400, dueAfterMs: undefined });
  account.looked(look(9000), { before: look(1250), heardAt: 8500, dueAfterMs: undefined });
  expect(account.ms()).toBe(1350);
});
