import { expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import type { Clock, ProcessEnd } from '../../src/core/os.js';
import type { RunnerApi, RunnerStatus } from '../../src/k6/rest.js';
import { type RunnerCourse, watchfulness, watchRunner } from '../../src/phases/run/runner-watch.js';
import type { Runner } from '../../src/runners/runner/types.js';

/** Time that passes as fast as it is waited for; `jumps` adds to single sleeps, by their number. */
function quickClock(jumps: Readonly<Record<number, number>> = {}): Clock {
  let now = 0;
  let sleeps = 0;
  return {
    now: () => now,
    elapsed: () => now,
    sleep: async (ms) => {
      await new Promise((resolve) => setImmediate(resolve));
      now += ms + (jumps[sleeps++] ?? 0);
    },
  };
}

/** A runner that answers as `statusAt` says for each call; `undefined`: never. */
function runnerThat(statusAt: (call: number) => number | undefined | 'fails', ended: Promise<ProcessEnd> = new Promise(() => {})): Runner {
  let calls = 0;
  const answer = (status: number): RunnerStatus => ({ status, paused: false, vus: 1, vusMax: 1 });
  const status = () => {
    const said = statusAt(calls++);
    if (said === 'fails') return Promise.reject(new Error('refused'));
    return said === undefined ? new Promise<RunnerStatus>(() => {}) : Promise.resolve(answer(said));
  };
  const never = () => Promise.reject(new Error('not asked for here'));
  const api: RunnerApi = { status, release: never, stop: never, runSetup: never, putSetup: never, runTeardown: never };
  return { id: runnerId(1), host: 'h', pid: async () => 1, api, ended, end: () => {}, collect: never, readLog: never };
}

const notice = { everyMs: 100, silentMs: 1900 };
const watch = (runner: Runner, clock = quickClock()) => watchRunner(runner, notice, clock, new AbortController().signal);

test.each<[string, Runner, RunnerCourse]>([
  ['is done', runnerThat((call) => (call < 5 ? 7 : 9)), { how: 'finished' }],
  ['is done and marked failed', runnerThat((call) => (call < 5 ? 7 : 11)), { how: 'finished' }],
  ['aborts', runnerThat((call) => (call < 5 ? 7 : 10)), { how: 'aborted-by-script' }],
  ['ends', runnerThat(() => 7, Promise.resolve({ signal: 'SIGKILL' })), { how: 'lost', end: { signal: 'SIGKILL' } }],
  ['falls silent', runnerThat((call) => (call < 5 ? 7 : undefined)), { how: 'lost', end: { error: 'ETIMEDOUT' } }],
  ['refuses every call', runnerThat(() => 'fails'), { how: 'lost', end: { error: 'ETIMEDOUT' } }],
  ['misses some calls', runnerThat((call) => (call % 3 > 0 ? undefined : call < 12 ? 7 : 9)), { how: 'finished' }],
])('a runner that %s', async (_, runner, course) => {
  expect(await watch(runner)).toEqual(course);
});

test('silence is noticed in time, and not before', async () => {
  const clock = quickClock();
  await watch(
    runnerThat(() => undefined),
    clock,
  );
  expect(clock.elapsed()).toBeGreaterThan(1900);
  expect(clock.elapsed()).toBeLessThanOrEqual(2000);
});

test('while loadctl itself stands still, no runner is silent', async () => {
  const runner = runnerThat((call) => (call < 10 ? 7 : 9));
  expect(await watch(runner, quickClock({ 3: 60_000 }))).toEqual({ how: 'finished' });
});

test('however many runners there are, silence is noticed in time', () => {
  expect([1, 60, 1000].map((runners) => watchfulness(runners, 2000))).toEqual([
    { everyMs: 250, silentMs: 1750 },
    { everyMs: 300, silentMs: 1700 },
    { everyMs: 500, silentMs: 1500 },
  ]);
});
