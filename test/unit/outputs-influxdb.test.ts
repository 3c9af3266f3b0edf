import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openRedactor } from '../../src/core/redactor.js';
import { bucketsOf, histogramSum, type NativeHistogram } from '../../src/metrics/native-histogram.js';
import { firstPosition, scattered, unroll } from '../../src/metrics/unroll.js';
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

/** Buckets as k6 pushes them. */
function histogramOf(values: readonly number[]): NativeHistogram {
  const sum = histogramSum();
  for (const value of values) {
    const index = Math.ceil(Math.log2(value) * 8);
    sum.grow({ count: 1, sum: value, zeroCount: 0, positive: new Map([[index, 1]]), negative: new Map() }, histogramSum());
  }
  return sum;
}

const quantile = (sorted: readonly number[], p: number) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;

/** A service with a long tail: log-normal around 60 ms, one of fifty ten times slower. */
function delays(count: number, seed: number): number[] {
  let state = seed;
  const random = () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return (state + 0.5) / 4_294_967_296;
  };
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    return 0.06 * Math.exp(0.5 * normal) * (random() < 0.02 ? 10 : 1);
  });
}

describe('unrolled', () => {
  test('at weight 1: as many points as samples, each in the bucket of its sample', () => {
    const values = delays(20_000, 1).toSorted((a, b) => a - b);
    const points = unroll(bucketsOf(histogramOf(values), 1), 1, firstPosition(1, 0));
    expect(points).toHaveLength(values.length);
    for (const [index, value] of values.entries())
      expect(Math.ceil(Math.log2(points[index] ?? 0) * 8 - 1e-6)).toBe(Math.ceil(Math.log2(value) * 8));
    const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    expect(Math.abs(mean(points) / mean(values) - 1)).toBeLessThan(0.01);
    for (const p of [0.5, 0.9, 0.95]) expect(Math.abs(quantile(points, p) / quantile(values, p) - 1)).toBeLessThan(0.01);
  });

  test('at weight 1 and 50 requests a second: percentiles of a minute are finer than its buckets', () => {
    const errors = Array.from({ length: 30 }, (_, seed) => {
      const seconds = Array.from({ length: 60 }, (_, second) => delays(50, 1000 * seed + second));
      const points = seconds.flatMap((values, second) => unroll(bucketsOf(histogramOf(values), 1), 1, firstPosition(1, second)));
      const [told = [], truth = []] = [points, seconds.flat()].map((list) => list.toSorted((a, b) => a - b));
      expect(told).toHaveLength(truth.length);
      return [0.5, 0.9, 0.95].map((p) => Math.abs(quantile(told, p) / quantile(truth, p) - 1));
    });
    const usual = [0, 1, 2].map((at) =>
      quantile(
        errors.map((each) => each[at] ?? 1).toSorted((a, b) => a - b),
        0.5,
      ),
    );
    expect(usual[0]).toBeLessThan(0.002);
    expect(usual[1]).toBeLessThan(0.005);
    expect(usual[2]).toBeLessThan(0.006);
  });

  test.each([
    [1000, 20, 0.03],
    [80, 20, 0.15],
  ])('over a minute of %i requests a second, each point for %i: the count is right, mean and p95 within %d', (rate, weight, error) => {
    const all: number[] = [];
    const points: number[] = [];
    for (let second = 0; second < 60; second += 1) {
      const values = delays(rate, second + 7);
      all.push(...values);
      points.push(...unroll(bucketsOf(histogramOf(values), 1), weight, firstPosition(weight, second)));
    }
    const sorted = [all, points].map((list) => list.toSorted((a, b) => a - b));
    const [truth = [], told = []] = sorted;
    expect(Math.abs((told.length * weight) / truth.length - 1)).toBeLessThan(0.02);
    const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    expect(Math.abs(mean(told) / mean(truth) - 1)).toBeLessThan(error);
    expect(Math.abs(quantile(told, 0.95) / quantile(truth, 0.95) - 1)).toBeLessThan(error);
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
