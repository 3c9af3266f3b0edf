import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openRedactor } from '../../src/core/redactor.js';
import { emptyHistogram, type HistogramSum, histogramSum, type NativeHistogram } from '../../src/metrics/native-histogram.js';
import { trendPoints } from '../../src/metrics/trend-points.js';
import { scattered } from '../../src/metrics/unroll.js';
import { openOutput } from '../../src/outputs/index.js';
import { batchesOf } from '../../src/outputs/influxdb/batches.js';
import { lineOf, nanoseconds } from '../../src/outputs/influxdb/line.js';
import type { Answer } from '../../src/outputs/kind/types.js';
import type { PlannedOutput } from '../../src/plan/outputs.js';
import { openWorld } from '../../src/world.js';
import { startSink } from '../support/sink.js';

const line = (tags: Record<string, string>, fields: Record<string, number | string | boolean | undefined> = { value: 1 }) => {
  const written = lineOf({ measurement: 'm', tags, fields, at: '1' });
  return written && `${written.series} ${written.fields} ${written.at}`;
};

describe('a line', () => {
  test('escapes what the protocol takes for its own, and holds nothing that would end it', () => {
    expect(line({ name: 'a b,c=d"e' })).toBe('m,name=a\\ b\\,c\\=d"e value=1 1');
    expect(line({ name: 'one\ntwo\r\n\u2028three\\\\' })).toBe('m,name=one\\ two\\ three value=1 1');
    expect(line({ name: '', other: '\n' })).toBe('m value=1 1');
    expect(line({}, { text: 'say "no"\\' })).toBe('m text="say \\"no\\"\\\\" 1');
  });

  test('has no field that is no number, and is none without a field', () => {
    expect(line({}, { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: 1e21, d: true, e: undefined })).toBe('m c=1e+21,d=true 1');
    expect(line({}, { a: Number.NaN })).toBeUndefined();
  });

  test('has each tag once, none without a name, and none that a server keeps for itself', () => {
    expect(line({ ' ': 'x', '\\': 'y', '\n': 'z' })).toBe('m value=1 1');
    expect(line({ 'a\nb': '1', 'a b': '2', 'testid ': 'theirs', testid: 'ours' })).toBe('m,a\\ b=2,testid=ours value=1 1');
    expect(line({ time: 'noon', _field: 'f', value: 'v' })).toBe('m,time_=noon,_field_=f,value=v value=1 1');
  });

  test('is one line whatever a name holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'\n\r\\,= "a\u2028\u2029\u0000\u0085é'), maxLength: 40 }), (name) => {
        expect(line({ name }, { text: 'x' })?.split('\n')).toHaveLength(1);
      }),
    );
  });

  test('nanoseconds keep every digit', () => {
    expect([nanoseconds(1_800_000_000_123), nanoseconds(1_800_000_000_123.5), nanoseconds(1_800_000_000_000, 7)]).toEqual([
      '1800000000123000000',
      '1800000000123500000',
      '1800000000000000007',
    ]);
  });
});

test('lines of a second go together, at most 5,000 in a parcel; a late one goes with what is under way', () => {
  const batches = batchesOf('influx');
  const one = (series: string) => ({ series, fields: 'value=1', at: '1' });
  const lines = Array.from({ length: 12_001 }, (_, index) => one(`line${index}`));
  expect(batches.add(1, lines)).toEqual([]);
  expect(batches.add(1, [one('more')])).toEqual([]);
  const parcels = batches.add(2, [one('two')]);
  expect(parcels.map(({ second, body }) => [second, body.split('\n').length])).toEqual([
    [1, 5000],
    [1, 5000],
    [1, 2002],
  ]);
  expect(batches.add(1, [one('late')])).toEqual([]);
  expect(batches.end().map(({ second, body }) => [second, body])).toEqual([[2, 'two value=1 1\nlate value=1 1']]);
  expect(batches.end()).toEqual([]);
});

/** All that a series has had so far, in buckets as k6 pushes them. */
function growing(): HistogramSum & { take: (values: readonly number[]) => NativeHistogram } {
  const sum = histogramSum();
  const take = (values: readonly number[]) => {
    for (const value of values) sum.grow(histogramOf(value), emptyHistogram);
    return sum;
  };
  return Object.assign(sum, { take });
}

function histogramOf(value: number): NativeHistogram {
  const bucket = new Map(value === 0 ? [] : [[indexOf(Math.abs(value)), 1]]);
  const none = new Map<number, number>();
  return { count: 1, sum: value, zeroCount: value === 0 ? 1 : 0, positive: value > 0 ? bucket : none, negative: value < 0 ? bucket : none };
}

const indexOf = (value: number) => Math.ceil(Math.log2(value) * 8);

/** The points of seconds in which a series had these samples. */
function pointsOf(seconds: readonly (readonly number[])[], weight = 1): number[] {
  const points = trendPoints(weight, 1);
  const series = growing();
  return seconds.flatMap((values) => points(series.take(values)));
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

const quantile = (sorted: readonly number[], p: number) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return (state + 0.5) / 4_294_967_296;
  };
}

/** A service with a long tail: log-normal around 60 ms, one of fifty ten times slower. */
function delays(count: number, seed: number): number[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    return 0.06 * Math.exp(0.5 * normal) * (random() < 0.02 ? 10 : 1);
  });
}

/** How far a minute's percentiles are from the truth: p50, p90, p95. */
function percentilesOff(points: readonly number[], values: readonly number[]): number[] {
  const [told = [], truth = []] = [points, values].map((list) => list.toSorted((a, b) => a - b));
  return [0.5, 0.9, 0.95].map((p) => Math.abs(quantile(told, p) / quantile(truth, p) - 1));
}

describe('unrolled', () => {
  test('at weight 1: as many points as samples, each in the bucket of its sample, and their sum', () => {
    const values = delays(20_000, 1).toSorted((a, b) => a - b);
    const points = pointsOf([values]).toSorted((a, b) => a - b);
    expect(points).toHaveLength(values.length);
    for (const [index, value] of values.entries()) expect(indexOf(points[index] ?? 0)).toBe(indexOf(value));
    expect(sumOf(points) / sumOf(values)).toBeCloseTo(1, 9);
    for (const off of percentilesOff(points, values)) expect(off).toBeLessThan(0.01);
  });

  test('at weight 1 one sample a second is itself, and two are their sum', () => {
    const values = delays(120, 3);
    const ones = pointsOf(values.map((value) => [value]));
    for (const [index, value] of values.entries()) expect((ones[index] ?? 0) / value).toBeCloseTo(1, 6);
    const pairs = Array.from({ length: 60 }, (_, second) => values.slice(2 * second, 2 * second + 2));
    const series = growing();
    const points = trendPoints(1, 1);
    for (const pair of pairs) expect(sumOf(points(series.take(pair))) / sumOf(pair)).toBeCloseTo(1, 9);
  });

  test('at weight 1 and 50 requests a second: percentiles of a minute are finer than its buckets', () => {
    const errors = Array.from({ length: 30 }, (_, seed) => {
      const seconds = Array.from({ length: 60 }, (_, second) => delays(50, 1000 * seed + second));
      const points = pointsOf(seconds);
      expect(points).toHaveLength(3000);
      return percentilesOff(points, seconds.flat());
    });
    const usual = [0, 1, 2].map((at) =>
      quantile(
        errors.map((each) => each[at] ?? 1).toSorted((a, b) => a - b),
        0.5,
      ),
    );
    expect(usual[0]).toBeLessThan(0.002);
    expect(usual[1]).toBeLessThan(0.004);
    expect(usual[2]).toBeLessThan(0.005);
  });

  test.each([
    [2, 1],
    [50, 1],
    [1000, 1],
    [1000, 20],
  ])('of a service that is always equally slow, %i requests a second, weight %i: within 1%, wherever in a bucket it is', (rate, weight) => {
    for (let place = 0; place < 10; place += 1) {
      const random = randomFrom(place + 1);
      const times = () => 0.05 * 2 ** (place / 80) * (1 + 0.01 * random());
      const seconds = Array.from({ length: 60 }, () => Array.from({ length: rate }, times));
      const points = pointsOf(seconds, weight);
      expect(sumOf(points) / points.length / (sumOf(seconds.flat()) / rate / 60)).toBeCloseTo(1, weight === 1 ? 9 : 3);
      for (const off of percentilesOff(points, seconds.flat())) expect(off).toBeLessThan(0.01);
    }
  });

  test('whatever the samples are: one point for each, in its bucket, and the sum of every second', () => {
    const within = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    const sample = fc.oneof(fc.constant(0), within(1e-9, 1e9), within(-1e6, -1e-6));
    fc.assert(
      fc.property(fc.array(fc.array(sample, { maxLength: 20 }), { maxLength: 6 }), (seconds) => {
        const series = growing();
        const points = trendPoints(1, 1);
        for (const values of seconds) {
          const told = points(series.take(values)).toSorted((a, b) => a - b);
          expect(told).toHaveLength(values.length);
          const most = values.reduce((sum, value) => sum + Math.abs(value), Math.abs(series.sum));
          expect(Math.abs(sumOf(told) - sumOf(values))).toBeLessThanOrEqual(1e-8 * most);
          for (const [index, value] of values.toSorted((a, b) => a - b).entries()) {
            const point = told[index] ?? Number.NaN;
            expect(Math.sign(point)).toBe(Math.sign(value));
            if (value !== 0) expect(Math.abs(Math.log2(point / value) * 8)).toBeLessThan(1 + 1e-9);
          }
        }
      }),
    );
  });

  test.each([
    ['no number', Number.NaN, 0, 1],
    ['without end', Number.POSITIVE_INFINITY, 0, 1],
    ['more than the buckets hold', 1e9, 0.99, 1],
    ['less than they hold', -1e9, 0, 0.01],
  ])('a sum that is %s leaves each point in its bucket', (_, sum, least, most) => {
    const positive = new Map([
      [1, 3],
      [40, 2],
    ]);
    const points = trendPoints(1, 1)({ count: 5, sum, zeroCount: 0, positive, negative: new Map() });
    expect(points).toHaveLength(5);
    for (const [at, point] of points.entries()) {
      const place = Math.log2(point) * 8 - (at < 3 ? 0 : 39);
      expect(place).toBeGreaterThan(least - 1e-9);
      expect(place).toBeLessThan(most + 1e-9);
    }
  });

  test.each([
    [1000, 20, 0.03],
    [80, 20, 0.15],
  ])('over a minute of %i requests a second, each point for %i: the count is right, mean and p95 within %d', (rate, weight, error) => {
    const seconds = Array.from({ length: 60 }, (_, second) => delays(rate, second + 7));
    const points = pointsOf(seconds, weight);
    const all = seconds.flat();
    expect(Math.abs((points.length * weight) / all.length - 1)).toBeLessThan(0.02);
    expect(Math.abs(sumOf(points) / points.length / (sumOf(all) / all.length) - 1)).toBeLessThan(error);
    expect(percentilesOff(points, all)[2]).toBeLessThan(error);
  });

  test('what is sorted by size is not sorted by time, and each has a moment of its own', () => {
    for (const count of [0, 1, 2, 3, 10, 97, 1000]) expect(new Set(scattered(count)).size).toBe(count);
    const places = scattered(1000);
    const rising = places.filter((place, index) => place > (places[index - 1] ?? 0)).length;
    expect(rising).toBeLessThan(800);
  });
});

/* InfluxDB 2 and 3 are not to be had here: servers that answer as their documentation says. */
describe('what is written to which version', () => {
  const common = { name: 'i', kind: 'influxdb', families: ['loadctl' as const], maxPoints: 5000 } as const;

  async function sentTo(
    more: Partial<PlannedOutput>,
    answering: { status: number; body?: string },
  ): Promise<{ answer: Answer; paths: string[]; logins: (string | undefined)[] }> {
    const sink = await startSink();
    sink.answer(answering);
    const output = openOutput({ ...common, url: `${sink.url}/prefix/`, ...more } as PlannedOutput, {
      label: 'l',
      environment: 'e',
      clock: openWorld().clock,
      redact: openRedactor(),
    });
    const answer = await output.send({ id: 'x', second: 1, body: 'm value=1 1' }, new AbortController().signal);
    return { answer, paths: sink.sent.map(({ path }) => path), logins: sink.sent.map(({ headers }) => headers.authorization) };
  }

  test('1 has a database, which is made first', async () => {
    const { answer, paths } = await sentTo({ database: 'load "tests"' }, { status: 204 });
    expect(answer).toEqual({ is: 'taken' });
    expect(paths).toEqual(['/prefix/query', '/prefix/write?db=load+%22tests%22&precision=ns']);
  });

  test('what the URL has of parameters stays: InfluxDB 1 takes a login there', async () => {
    const sink = await startSink();
    const output = openOutput(
      { ...common, families: ['loadctl'], url: `${sink.url}/prefix/?u=ann&p=x#there` },
      {
        label: 'l',
        environment: 'e',
        clock: openWorld().clock,
        redact: openRedactor(),
      },
    );
    await output.send({ id: 'x', second: 1, body: 'm value=1 1' }, new AbortController().signal);
    expect(sink.sent.map(({ path }) => path)).toEqual(['/prefix/query?u=ann&p=x', '/prefix/write?u=ann&p=x&db=k6&precision=ns']);
  });

  test('2 has a bucket, 3 a database and a token', async () => {
    expect(await sentTo({ bucket: 'b', org: 'o', token: 't' }, { status: 204 })).toMatchObject({
      paths: ['/prefix/api/v2/write?org=o&bucket=b&precision=ns'],
      logins: ['Token t'],
    });
    expect(await sentTo({ database: 'd', token: 't' }, { status: 204 })).toMatchObject({
      paths: ['/prefix/api/v3/write_lp?db=d&precision=nanosecond'],
      logins: ['Bearer t'],
    });
  });

  test.each([
    [400, '{"error":"partial write: field type conflict dropped=3"}', 'taken'],
    [422, '{"code":"unprocessable entity","message":"partial write: points beyond retention policy dropped=1"}', 'taken'],
    [400, '{"error":"partial write of line protocol occurred"}', 'taken'],
    [400, '{"code":"invalid","message":"unable to parse"}', 'refused'],
    [401, '', 'refused'],
    [503, '', 'later'],
  ])('%i %s is %s', async (status, body, is) => {
    expect((await sentTo({ bucket: 'b', token: 't' }, { status, body })).answer.is).toBe(is);
  });
});
