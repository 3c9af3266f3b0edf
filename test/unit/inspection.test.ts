import { describe, expect, test } from 'vitest';
import type { LiveTotal } from '../../src/metrics/live-total.js';
import { loadEndAt } from '../../src/phases/watch/load-end.js';
import { foreseenLoad } from '../../src/plan/inspection.js';

/** Options as `k6 inspect` prints them: everything that nobody said is null. */
const scenarios = {
  a: { executor: 'constant-vus', startTime: null, gracefulStop: '30s', vus: 10, duration: '1m30s' },
  b: { executor: 'ramping-vus', startTime: '10s', startVUs: null, stages: [{ duration: '2m0s', target: 7 }], gracefulRampDown: '30s' },
  c: { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1m0s', duration: '10s', preAllocatedVUs: 2, maxVUs: null },
  d: {
    executor: 'ramping-arrival-rate',
    startRate: null,
    timeUnit: null,
    stages: [{ duration: '1s', target: 5 }],
    preAllocatedVUs: 1,
    maxVUs: 9,
  },
  e: { executor: 'shared-iterations', vus: null, iterations: 20, maxDuration: null },
  f: { executor: 'per-vu-iterations', vus: 3, iterations: 4, maxDuration: '5s' },
};

describe('the load of scenarios', () => {
  test('is what each executor makes, without the grace at its end', () => {
    const load = foreseenLoad({ options: { scenarios }, maxVus: 30 });
    expect(load).toMatchObject({ vus: 30, durationMs: 600_000, open: true });
    expect(load.iterationsPerSecond).toBeUndefined();
    expect(load.scenarios).toEqual([
      { name: 'a', executor: 'constant-vus', vus: 10, startMs: 0, durationMs: 90_000, open: false },
      { name: 'b', executor: 'ramping-vus', vus: 7, startMs: 10_000, durationMs: 120_000, open: false },
      { name: 'c', executor: 'constant-arrival-rate', vus: 2, startMs: 0, durationMs: 10_000, rate: 0.5, open: true },
      { name: 'd', executor: 'ramping-arrival-rate', vus: 9, startMs: 0, durationMs: 1000, rate: 5, open: true },
      { name: 'e', executor: 'shared-iterations', vus: 1, startMs: 0, durationMs: 600_000, iterations: 20, open: false },
      { name: 'f', executor: 'per-vu-iterations', vus: 3, startMs: 0, durationMs: 5000, iterations: 12, open: false },
    ]);
  });

  test('adds up the rates of those that are on together', () => {
    const after = { ...scenarios.d, startTime: '10s' };
    expect(foreseenLoad({ options: { scenarios: { c: scenarios.c, d: scenarios.d } }, maxVus: 1 }).iterationsPerSecond).toBe(5.5);
    expect(foreseenLoad({ options: { scenarios: { c: scenarios.c, d: after } }, maxVus: 1 }).iterationsPerSecond).toBe(5);
  });

  test('has a rate where iterations take a least time', () => {
    const options = { scenarios: { a: scenarios.a }, minIterationDuration: '500ms' };
    expect(foreseenLoad({ options, maxVus: 10 }).iterationsPerSecond).toBe(20);
  });
});

describe('the end of a load', () => {
  const { scenarios: all } = foreseenLoad({ options: { scenarios }, maxVus: 30 });
  const of = (...names: string[]) => all.filter(({ name }) => names.includes(name));
  const counter = (count: number): LiveTotal => ({ kind: 'counter', contains: 'default', count });
  const made = (counts: Readonly<Record<string, number>>) => ({
    total: () => counter(Object.values(counts).reduce((sum, count) => sum + count, 0)),
    totalsBy: () => new Map(Object.entries(counts).map(([name, count]) => [name, counter(count)])),
  });

  test('is when the last scenario is over, whatever the grace', () => {
    expect(loadEndAt(of('a', 'b'), made({ a: 5, b: 5 }))(1000)).toBe(130_000);
  });

  test('of iterations is as soon as they are made', () => {
    const counts = { a: 900, e: 0 };
    const endAt = loadEndAt(of('a', 'e'), made(counts));
    expect(endAt(1000)).toBe(600_000);
    counts.e = 2;
    expect(endAt(20_000)).toBe(200_000);
    counts.e = 20;
    expect([endAt(120_000), endAt(130_000)]).toEqual([120_000, 120_000]);
  });

  test('of one scenario wants no tag of it: systemTags may be without', () => {
    expect(loadEndAt(of('e'), { ...made({ any: 20 }), totalsBy: () => new Map() })(9000)).toBe(9000);
  });

  test('of iterations is at maxDuration at the latest', () => {
    expect(loadEndAt(of('f'), made({ f: 1 }))(4000)).toBe(5000);
  });
});
