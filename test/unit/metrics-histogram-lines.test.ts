import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { iterationsOnly } from '../../src/metrics/fleet-look.js';
import { histogramLines, type WrittenHistogram } from '../../src/metrics/histogram-lines.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import type { PushedSeries, Tags } from '../../src/metrics/series.js';

/** Where a runner's durations stand: seconds, by bucket of schema 3. */
function durations(tags: Tags, buckets: Readonly<Record<number, number>>, zeroCount = 0): PushedSeries {
  const positive = new Map(Object.entries(buckets).map(([index, count]) => [Number(index), count]));
  const count = zeroCount + [...positive.values()].reduce((sum, one) => sum + one, 0);
  return {
    labels: { name: 'http_req_duration_seconds', tags },
    histogram: { count, sum: count / 64, zeroCount, positive, negative: new Map() },
  };
}

const good = { name: 'GET /', part: 'steady', expected_response: 'true' };
const bad = { name: 'GET /', part: 'steady', expected_response: 'false' };

describe('histograms.ndjson', () => {
  test('a stretch of 10 s has the buckets of all runners since the one before; the last one is as short as it is', () => {
    const numbers = liveNumbers();
    const lines = histogramLines(numbers, iterationsOnly(true));
    numbers.take(runnerId(1), [
      durations(good, { [-48]: 8 }, 1),
      durations({ name: 'GET /token', expected_response: 'true' }, { [-32]: 1 }),
    ]);
    expect(lines.next(9000, false)).toBeUndefined();
    numbers.take(runnerId(2), [durations(good, { [-48]: 2, 3: 1 }), durations(bad, { 8: 2 })]);
    const first = { count: 14, sum: 218.75, zero: 1, buckets: { '-48': 10, 3: 1, 8: 2 } };
    const expected = { count: 12, sum: 187.5, zero: 1, buckets: { '-48': 10, 3: 1 } };
    const token = { all: { count: 1, sum: 15.625, buckets: { '-32': 1 } } };
    expect(lines.next(10_004, false)).toEqual({
      fromMs: 0,
      toMs: 10_004,
      all: first,
      expected,
      endpoints: { 'GET /': { all: first, expected }, 'GET /token': token },
    });
    expect(lines.next(19_000, false)).toBeUndefined();
    numbers.take(runnerId(2), [durations(good, { [-48]: 3, 3: 1 })]);
    const last = { count: 1, sum: 15.625, buckets: { '-48': 1 } };
    expect(lines.next(19_500, true)).toEqual({ fromMs: 10_004, toMs: 19_500, all: last, endpoints: { 'GET /': { all: last } } });
  });

  test('nothing is written of a stretch without requests; what comes later belongs to its own', () => {
    const numbers = liveNumbers();
    const lines = histogramLines(numbers);
    expect(lines.next(10_000, false)).toBeUndefined();
    numbers.take(runnerId(1), [durations(good, { 0: 1 })]);
    expect(lines.next(20_000, false)).toMatchObject({ fromMs: 10_000, toMs: 20_000, all: { count: 1 } });
  });

  test('the busiest 500 names, and all requests in the sum', () => {
    const keep = new Set(Array.from({ length: 620 }, (_, index) => `GET /${index}`));
    const numbers = liveNumbers({ keep });
    const lines = histogramLines(numbers);
    numbers.take(
      runnerId(1),
      [...keep].map((name, index) => durations({ name }, { 0: index + 1 })),
    );
    const line = lines.next(10_000, true);
    const written = Object.values(line?.endpoints ?? {}).map(({ all }) => all.count);
    expect([written.length, Math.min(...written), line?.all.count]).toEqual([500, 121, (620 * 621) / 2]);
  });

  test('lines add up to what was pushed, however it was pushed', () => {
    const push = fc.record({
      runner: fc.integer({ min: 1, max: 3 }),
      name: fc.constantFrom('a', 'b', '__proto__', 'اسم'),
      more: fc.dictionary(fc.integer({ min: -60, max: 30 }).map(String), fc.integer({ min: 1, max: 9 }), { maxKeys: 5 }),
      seconds: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(push, { minLength: 1, maxLength: 20 }), (pushes) => {
        const numbers = liveNumbers();
        const lines = histogramLines(numbers);
        const standing = new Map<string, Record<string, number>>();
        const pushed: Record<string, number> = {};
        let elapsed = 0;
        const found = pushes.flatMap(({ runner, name, more, seconds }, index) => {
          const key = `${runner} ${name}`;
          const now = addedTo(standing.get(key) ?? {}, more);
          standing.set(key, now);
          Object.assign(pushed, addedTo(pushed, more));
          numbers.take(runnerId(runner), [durations({ name }, now)]);
          elapsed += seconds * 1000;
          return lines.next(elapsed, index === pushes.length - 1) ?? [];
        });
        const sum = (parts: readonly WrittenHistogram[]) =>
          parts.reduce<Record<string, number>>((all, { buckets }) => addedTo(all, buckets), {});
        expect(sum(found.map(({ all }) => all))).toEqual(pushed);
        expect(sum(found.flatMap(({ endpoints }) => Object.values(endpoints).map(({ all }) => all)))).toEqual(pushed);
      }),
      { numRuns: 100 },
    );
  });
});

function addedTo(buckets: Readonly<Record<string, number>>, more: Readonly<Record<string, number>>): Record<string, number> {
  const added = Object.entries(more).map(([index, count]) => [index, (buckets[index] ?? 0) + count] as const);
  return { ...buckets, ...Object.fromEntries(added) };
}
