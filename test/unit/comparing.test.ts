import { describe, expect, test } from 'vitest';
import { asRunId } from '../../src/core/ids.js';
import { type ChangeWord, compareRuns, uncompared } from '../../src/metrics/compare/compare.js';
import type { RunNumber, RunNumbers } from '../../src/metrics/compare/numbers.js';
import { studentQuantile, studentTail } from '../../src/metrics/compare/student.js';
import { type WithinRun, withinRun } from '../../src/metrics/compare/within-run.js';
import type { HistogramLine } from '../../src/metrics/histogram-lines.js';

const id = asRunId('20261129-010203-abcde');
if (id === undefined) throw new Error('no id');

function runOf(numbers: readonly RunNumber[]): RunNumbers {
  return { run: id ?? never(), environment: 'dev', startedAt: 0, workload: 'w', verdict: 'pass', circumstances: {}, numbers };
}

function never(): never {
  throw new Error('never');
}

const latency = (value: number, more: Partial<RunNumber> = {}): RunNumber => ({
  name: 'p95',
  unit: 'ms',
  scale: 'ratio',
  worse: 'higher',
  gated: true,
  value,
  ...more,
});

/** Mulberry32, Tommy Ettinger (public domain): a generator of 32 bits that a seed replays. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function normals(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const rounds = Number(process.env.LOADCTL_COMPARISONS ?? 200);

interface Cell {
  readonly earlier: number;
  readonly later: number;
  readonly noise: number;
  readonly change: number;
}

/** How often a comparison of so many runs says so, where they scatter by `noise` and the new ones are slower by `change`. */
function shareOf(word: ChangeWord, { earlier, later, noise, change }: Cell, seed: number): number {
  const normal = normals(randomFrom(seed));
  const runs = (count: number, by: number) =>
    Array.from({ length: count }, () => runOf([latency(100 * (1 + by) * Math.exp(noise * normal()))]));
  let times = 0;
  for (let round = 0; round < rounds; round += 1)
    if (compareRuns(runs(later, change), runs(earlier, 0), 0.05)[0]?.word === word) times += 1;
  return times / rounds;
}

/** What a share of `rounds` differs from a true one by less than once in a billion (Hoeffding). */
const slack = Math.sqrt(Math.log(2e9) / 2 / rounds);

describe('what a comparison says of runs whose truth is known', () => {
  const equal = [1, 2, 3, 5, 10].flatMap((noise) => [3, 5, 10].map((earlier) => ({ earlier, later: 1, noise: noise / 100, change: 0 })));

  test.each(equal)('equal runs are seldom worse: $earlier earlier, noise $noise', (cell) => {
    expect(shareOf('worse', cell, 7 + cell.earlier)).toBeLessThanOrEqual(0.065 + slack);
  });

  test.each([
    { earlier: 5, later: 1, noise: 0.02, change: 0.1, least: 0.93 },
    { earlier: 10, later: 1, noise: 0.02, change: 0.1, least: 0.97 },
    { earlier: 3, later: 3, noise: 0.03, change: 0.1, least: 0.9 },
    { earlier: 5, later: 1, noise: 0.01, change: 0.1, least: 0.99 },
  ])('a true +10% is seen: $later with $earlier, noise $noise', ({ least, ...cell }) => {
    expect(shareOf('worse', cell, 11)).toBeGreaterThanOrEqual(least - slack);
    expect(shareOf('better', { ...cell, change: -0.1 }, 13)).toBeGreaterThanOrEqual(least - slack - 0.05);
  });

  test('one or two earlier runs are never judged', () => {
    for (const earlier of [1, 2])
      for (const change of [0, 0.1, 5]) expect(shareOf('cannot tell', { earlier, later: 3, noise: 0.001, change }, 17)).toBe(1);
  });

  test('of many gated numbers together a false `worse` is as seldom as of one', () => {
    const normal = normals(randomFrom(19));
    const names = Array.from({ length: 12 }, (_, index) => `m${index}`);
    const run = () => runOf(names.map((name) => latency(100 * Math.exp(0.1 * normal()), { name })));
    let times = 0;
    for (let round = 0; round < rounds; round += 1) {
      const changes = compareRuns([run()], [run(), run(), run(), run(), run()], 0.05);
      if (changes.some(({ word }) => word === 'worse')) times += 1;
    }
    expect(times / rounds).toBeLessThanOrEqual(0.065 + slack);
  });
});

describe('what a comparison takes into account', () => {
  const five = [100, 101, 99, 100.5, 99.5];
  const word = (later: readonly RunNumber[], earlier: readonly RunNumber[]) =>
    compareRuns(
      later.map((one) => runOf([one])),
      earlier.map((one) => runOf([one])),
      0.05,
    )[0]?.word;

  test('less throughput is worse, more is better', () => {
    const rate = (value: number) => latency(value, { name: 'throughput', unit: '/s', worse: 'lower' });
    expect(word([rate(80)], five.map(rate))).toBe('worse');
    expect(word([rate(125)], five.map(rate))).toBe('better');
    expect(word([rate(100)], five.map(rate))).toBe('same');
  });

  test('the bounds of a merge count against a finding', () => {
    const wide = latency(115, { low: 99, high: 130 });
    expect(
      word(
        [latency(115)],
        five.map((value) => latency(value)),
      ),
    ).toBe('worse');
    expect(
      word(
        [wide],
        five.map((value) => latency(value)),
      ),
    ).toBe('cannot tell');
  });

  test('errors are counts: one more of few says nothing, a hundred more does; none on both sides is the same', () => {
    const errors = (count: number) => latency(count / 20_000, { name: 'errors', unit: '%', scale: 'events', of: 20_000 });
    expect(word([errors(2)], [errors(1), errors(0), errors(1), errors(2)])).toBe('cannot tell');
    expect(word([errors(120)], [errors(10), errors(14), errors(8), errors(12)])).toBe('worse');
    expect(word([errors(1)], [errors(100), errors(120), errors(90)])).toBe('better');
    expect(word([errors(50)], [errors(0), errors(0), errors(0)])).toBe('worse');
    expect(word([errors(0)], [errors(0), errors(0), errors(0)])).toBe('same');
  });

  test('a change that does not matter is not worse, however certain', () => {
    const exact = [100, 100.01, 99.99, 100, 100.01].map((value) => latency(value));
    expect(word([latency(103)], exact)).toBe('same');
    expect(word([latency(106)], exact)).toBe('worse');
  });

  test('a run counts once for a number, in the direction that the new run says', () => {
    const turned = (value: number) => latency(value, { worse: 'lower' });
    const twice = five.map((value) => runOf([latency(value), turned(value)]));
    const [only, ...others] = compareRuns([runOf([latency(101), turned(101)])], twice, 0.05);
    expect(others).toEqual([]);
    expect(only?.noise).toBeCloseTo(0.0079, 3);
    expect(only).toEqual(
      compareRuns(
        [runOf([latency(101)])],
        five.map((value) => runOf([turned(value)])),
        0.05,
      )[0],
    );
  });

  test('an error in a run of few requests weighs no more than chance lets it', () => {
    const errors = (count: number, of: number) => latency(count / of, { name: 'errors', unit: '%', scale: 'events', of });
    const many = [errors(90, 100_000), errors(100, 100_000), errors(110, 100_000)];
    expect(word([errors(1, 100)], many)).toBe('cannot tell');
    expect(word([errors(1000, 100_000)], many)).toBe('worse');
  });

  test('a limit of which nothing can be said is named', () => {
    const own = (value: number) => latency(value, { name: 'own' });
    expect(uncompared([runOf([own(5), latency(1)])], [runOf([latency(1)])])).toEqual([{ name: 'own', why: 'not-before' }]);
    expect(uncompared([runOf([own(5)])], [runOf([own(0)])])).toEqual([{ name: 'own', why: 'not-above-zero' }]);
    expect(uncompared([runOf([own(5)])], [runOf([latency(5, { name: 'own', unit: '' })])])).toEqual([{ name: 'own', why: 'not-before' }]);
    expect(uncompared([runOf([{ ...own(5), gated: false }])], [runOf([])])).toEqual([]);
    expect(uncompared([runOf([own(5)])], [])).toEqual([]);
  });

  test('a number that one side lacks, or that is 0 where it varies by a share, is left out', () => {
    expect(compareRuns([runOf([latency(0)])], [runOf([latency(1)])], 0.05)).toEqual([]);
    expect(compareRuns([runOf([latency(1)])], [runOf([])], 0.05)).toEqual([]);
    expect(compareRuns([], [], 0.05)).toEqual([]);
  });
});

/** Ten minutes of requests whose level wanders, AR(1) by the second: as histograms.ndjson has them, and each by itself. */
function wandering(rho: number, normal: () => number): { readonly lines: HistogramLine[]; readonly values: number[] } {
  const [level, request, perSecond] = [0.1, 0.2, 20];
  const [lines, values]: [HistogramLine[], number[]] = [[], []];
  let at = normal() * level;
  for (let second = 0; second < 600; second += 10) {
    const buckets: Record<string, number> = {};
    for (let one = 0; one < 10; one += 1) {
      at = rho * at + Math.sqrt(1 - rho ** 2) * level * normal();
      for (let nth = 0; nth < perSecond; nth += 1) {
        const seconds = 0.1 * Math.exp(at + request * normal());
        values.push(seconds);
        const bucket = Math.ceil(8 * Math.log2(seconds));
        buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      }
    }
    const all = { count: 10 * perSecond, sum: 0, buckets };
    lines.push({ fromMs: second * 1000, toMs: (second + 10) * 1000, all, endpoints: { 'GET /a': { all } } });
  }
  return { lines, values };
}

function withinOf(lines: readonly HistogramLine[], seconds = 600): WithinRun {
  const within = withinRun({ from: 0, to: seconds * 1000 });
  lines.forEach(within.add);
  return within;
}

test('the error within a run covers the truth in nine of ten, of requests that are alike for seconds', () => {
  const normal = normals(randomFrom(23));
  const truth = 0.1 * Math.exp(1.6449 * Math.hypot(0.1, 0.2));
  let covered = 0;
  for (let round = 0; round < 200; round += 1) {
    const { lines, values } = wandering(0.9, normal);
    const share = withinOf(lines).read('p95') ?? never();
    const value = values.sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? never();
    if (Math.abs(Math.log(value / truth)) <= Math.log1p(share)) covered += 1;
  }
  expect(covered / 200).toBeGreaterThanOrEqual(0.9);
});

test('the error within a run is of each number, and unknown where a block is empty or the name is of nothing', () => {
  const { lines } = wandering(0.9, normals(randomFrom(29)));
  const within = withinOf(lines);
  expect(within.read('GET /a p95')).toBe(within.read('p95'));
  expect(within.read('throughput')).toBeCloseTo(0, 12);
  expect(within.read('p99')).toBeGreaterThan(within.read('p50') ?? never());
  for (const name of ['errors', 'GET /b p95', 'constructor p95', '']) expect(within.read(name)).toBeUndefined();
  expect(withinOf(lines, 900).read('p95')).toBeUndefined();
  expect(withinOf(lines.slice(0, 5), 50).read('p95')).toBeGreaterThan(0);
  expect(withinOf(lines.slice(0, 4), 40).read('p95')).toBeUndefined();
});

/** NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2: upper critical values of Student's t. */
test.each([
  [1, 6.314, 12.706, 63.657],
  [2, 2.92, 4.303, 9.925],
  [3, 2.353, 3.182, 5.841],
  [4, 2.132, 2.776, 4.604],
  [5, 2.015, 2.571, 4.032],
  [9, 1.833, 2.262, 3.25],
  [10, 1.812, 2.228, 3.169],
  [19, 1.729, 2.093, 2.861],
  [30, 1.697, 2.042, 2.75],
  [100, 1.66, 1.984, 2.626],
])('Student’s t of %i degrees is as published', (degrees, ...published) => {
  const found = [0.05, 0.025, 0.005].map((tail) => studentQuantile(tail, degrees));
  found.forEach((value, index) => {
    expect(value).toBeCloseTo(published[index] ?? 0, 3);
    expect(studentTail(value, degrees) + studentTail(-value, degrees)).toBeCloseTo(1, 12);
  });
});
