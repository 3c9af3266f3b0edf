import { expect, test } from 'vitest';
import { vanished } from '../../src/core/ends.js';
import { runnerId } from '../../src/core/ids.js';
import type { Clock, ProcessEnd } from '../../src/core/os.js';
import type { RunnerApi, RunnerStatus } from '../../src/k6/rest.js';
import { loadCourse } from '../../src/phases/run/load-course.js';
import { endOf, type RunnerWatch, watchfulness, watchRunner } from '../../src/phases/run/runner-watch.js';
import type { Runner, Vitals } from '../../src/runners/runner/types.js';

/** Time that passes as fast as it is waited for; `jumps` adds to single sleeps, by their number. */
function quickClock(jumps: Readonly<Record<number, number>> = {}): Clock {
  let now = 0;
  let sleeps = 0;
  return {
    stamp: () => now,
    elapsed: () => now,
    sleep: async (ms) => {
      await new Promise((resolve) => setImmediate(resolve));
      now += ms + (jumps[sleeps++] ?? 0);
    },
  };
}

interface Fake {
  readonly ended?: ProcessEnd;
  /** At which call this is told; it has ended already, where it is missing. */
  readonly endsAt?: number;
  /** The state and the CPU time of its process at each look. */
  readonly process?: (look: number) => readonly [state: string, ms: number];
  /** What becomes of the call that releases it. */
  readonly release?: () => Promise<void>;
}

/** A runner that answers as `statusAt` says for each call; `undefined`: never. */
function runnerThat(
  statusAt: (call: number) => number | undefined | 'fails',
  { ended, endsAt = 0, process, release = async () => {} }: Fake = {},
): Runner {
  let [calls, looks] = [0, 0];
  const answer = (status: number): RunnerStatus => ({ status, paused: false, vus: 1, vusMax: 1 });
  const gone = new AbortController();
  const tellEnd = () => {
    if (ended !== undefined && calls >= endsAt) gone.abort();
  };
  const status = () => {
    const said = statusAt(calls++);
    tellEnd();
    if (said === 'fails') return Promise.reject(new Error('refused'));
    return said === undefined ? new Promise<RunnerStatus>(() => {}) : Promise.resolve(answer(said));
  };
  const never = () => Promise.reject(new Error('not asked for here'));
  const api: RunnerApi = {
    status,
    release,
    stop: never,
    runSetup: never,
    putSetup: never,
    runTeardown: never,
    checks: never,
    metric: never,
  };
  const vitals = async (): Promise<Vitals | undefined> => {
    const [processState, processMs] = process?.(looks++) ?? [];
    if (processState === undefined || processMs === undefined) return undefined;
    return { processState, processMs, processMemory: 1, cpus: 1, busyMs: 1, wholeMs: 1, memory: 1, freeMemory: 1 };
  };
  tellEnd();
  return {
    id: runnerId(1),
    host: 'h',
    pid: async () => 1,
    api,
    ended: ended === undefined ? new Promise(() => {}) : Promise.resolve(ended),
    gone: gone.signal,
    end: () => {},
    asked: () => undefined,
    collect: never,
    readLog: never,
    vitals,
    clockOrigin: async () => 0,
  };
}

const notice = { everyMs: 100, atFirstMs: 100, silentMs: 1900 };
const watch = (runner: Runner, clock = quickClock(), more: Partial<RunnerWatch> = {}) =>
  watchRunner(
    runner,
    { ...notice, clock, pushedAt: () => undefined, ceilingMs: 20_000, ...more },
    new AbortController().signal,
    ({ status }) => (status >= 9 ? status : undefined),
  );

const mute = () => undefined;
test.each<[string, Runner, Awaited<ReturnType<typeof watch>>]>([
  ['is done', runnerThat((call) => (call < 5 ? 7 : 9)), { reached: 9 }],
  ['is done and marked failed', runnerThat((call) => (call < 5 ? 7 : 11)), { reached: 11 }],
  ['ends', runnerThat(() => 7, { ended: { signal: 'SIGKILL' } }), { lost: { cause: 'killed', signal: 'SIGKILL' } }],
  ['falls silent', runnerThat((call) => (call < 5 ? 7 : undefined)), { lost: { cause: 'silent' } }],
  ['refuses every call', runnerThat(() => 'fails'), { lost: { cause: 'silent' } }],
  ['sleeps, and uses no CPU', runnerThat(mute, { process: () => ['S', 50] }), { lost: { cause: 'silent' } }],
  ['is frozen', runnerThat(mute, { process: () => ['T', 50] }), { lost: { cause: 'frozen' } }],
  ['is busy until it is done', runnerThat((call) => (call < 20 ? undefined : 9), { process: (look) => ['S', look * 10] }), { reached: 9 }],
  ['waits for a CPU until it is done', runnerThat((call) => (call < 20 ? undefined : 9), { process: () => ['R', 50] }), { reached: 9 }],
  ['is busy for ever', runnerThat(mute, { process: (look) => ['S', look * 10] }), { lost: { cause: 'overdue' } }],
  ['misses some calls', runnerThat((call) => (call % 3 > 0 ? undefined : call < 12 ? 7 : 9)), { reached: 9 }],
])('a runner that %s', async (_, runner, seen) => {
  expect(await watch(runner)).toEqual(seen);
});

test('of 1,000 runners each is asked and looked at no more often than its ticks come', async () => {
  const closely = { ...watchfulness(1000, 5000), clock: quickClock(), pushedAt: () => undefined };
  let calls = 0;
  const count = (status: number | undefined) => () => {
    calls += 1;
    return calls === 10 ? 9 : status;
  };
  let looks = 0;
  const process = () => {
    looks += 1;
    return ['S', looks] as const;
  };

  expect(await watch(runnerThat(count(7), { process }), closely.clock, closely)).toEqual({ reached: 9 });
  expect({ calls, looks }).toEqual({ calls: 10, looks: 0 });

  calls = 0;
  expect(await watch(runnerThat(count(undefined), { process }), closely.clock, { ...closely, ceilingMs: 20_000 })).toEqual({
    lost: { cause: 'overdue' },
  });
  expect(calls).toBeLessThanOrEqual(20 / 2);
});

const [interrupted, refused] = [10, 'fails' as const];
test.each<[string, Runner, Awaited<ReturnType<typeof loadCourse>>]>([
  ['answers on', runnerThat(() => interrupted), { cause: 'aborted' }],
  [
    'is gone at once',
    runnerThat((call) => (call < 1 ? interrupted : refused), { ended: { exitCode: 105 }, endsAt: 3 }),
    { cause: 'ended-outside', exitCode: 105 },
  ],
  // An agent tells up to two seconds later that one is gone whose shell was killed.
  [
    'is gone, and it is told late',
    runnerThat((call) => (call < 2 ? interrupted : refused), { ended: { error: vanished }, endsAt: 8 }),
    { cause: 'gone' },
  ],
  ['is gone, and nobody tells', runnerThat((call) => (call < 2 ? interrupted : refused)), { cause: 'silent' }],
  ['is frozen', runnerThat((call) => (call < 2 ? interrupted : undefined), { process: () => ['T', 50] }), { cause: 'frozen' }],
  [
    'writes, and waits for a CPU',
    runnerThat(() => interrupted, { process: () => ['R', 50], ended: { exitCode: 105 }, endsAt: 30 }),
    { cause: 'ended-outside', exitCode: 105 },
  ],
])('a runner whose test was interrupted and that %s', async (_, runner, end) => {
  const watching = { ...notice, clock: quickClock(), pushedAt: () => undefined };
  expect(await loadCourse(runner, watching, new AbortController().signal)).toEqual(end);
});

test.each([
  [
    'lost, and k6 refuses a second release',
    async () => Promise.reject(new Error("doesn't support pause and resume operations after its start")),
  ],
  ['never there', () => new Promise<void>(() => {})],
])('a runner that runs was released, though the answer to that was %s', async (_, release) => {
  const clock = quickClock();
  const runner = runnerThat((call) => (call < 4 ? 4 : call < 8 ? 7 : 9), { release });
  const watching = { ...notice, clock, pushedAt: () => undefined };
  expect(await loadCourse(runner, watching, new AbortController().signal)).toEqual({ cause: 'reached-end' });
  expect(clock.elapsed()).toBeLessThan(5000);
});

test('pushes are a sign of life', async () => {
  const clock = quickClock();
  const pushedAt = () => Math.min(5000, Math.floor(clock.elapsed() / 1000) * 1000);
  expect(await watch(runnerThat(mute), clock, { pushedAt })).toEqual({ lost: { cause: 'silent' } });
  expect(clock.elapsed()).toBeGreaterThan(6900);
});

test('silence is noticed in time, and not before', async () => {
  const clock = quickClock();
  await watch(runnerThat(mute), clock);
  expect(clock.elapsed()).toBeGreaterThan(1900);
  expect(clock.elapsed()).toBeLessThanOrEqual(2100);
});

test('a runner that is done in no time is seen to be at once', async () => {
  const clock = quickClock();
  await watch(
    runnerThat((call) => (call < 2 ? 7 : 9)),
    clock,
    { ...watchfulness(1, 2000) },
  );
  expect(clock.elapsed()).toBeLessThanOrEqual(100);
});

test('while loadctl itself stands still, no runner is silent', async () => {
  const runner = runnerThat((call) => (call < 10 ? 7 : 9));
  expect(await watch(runner, quickClock({ 3: 60_000 }), { ceilingMs: 120_000 })).toEqual({ reached: 9 });
});

test('however many runners there are, silence is noticed in time; at first they are looked at closely', () => {
  expect([1, 60, 1000].map((runners) => watchfulness(runners, 2000))).toEqual([
    { everyMs: 250, atFirstMs: 25, silentMs: 1750 },
    { everyMs: 300, atFirstMs: 300, silentMs: 1700 },
    { everyMs: 500, atFirstMs: 500, silentMs: 1500 },
  ]);
  expect(watchfulness(1000, 5000)).toEqual({ everyMs: 1000, atFirstMs: 1000, silentMs: 4000 });
});

test.each<[ProcessEnd, ReturnType<typeof endOf>]>([
  [{ exitCode: 105 }, { cause: 'ended-outside', exitCode: 105 }],
  [{ exitCode: 108 }, { cause: 'aborted', exitCode: 108 }],
  [{ exitCode: 2 }, { cause: 'crashed', exitCode: 2 }],
  [{ exitCode: 0 }, { cause: 'crashed', exitCode: 0 }],
  [{ signal: 'SIGKILL' }, { cause: 'killed', signal: 'SIGKILL' }],
  [{ error: 'EHOSTUNREACH' }, { cause: 'out-of-reach' }],
  [{ error: 'ESRCH' }, { cause: 'gone' }],
])('a process that ended with %j and was not asked to', (end, seen) => {
  expect(endOf(end)).toEqual(seen);
});
