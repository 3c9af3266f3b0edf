import { describe, expect, test } from 'vitest';
import type { Summary } from '../../src/metrics/summary.js';
import { hasPrometheus, type Receiver, startReceiver } from '../servers/prometheus-receiver.js';
import { fleetPlace, type KeptEvent } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

const evil = `GET "quoted", a=b <&|> @channel \\ ${'é'.repeat(1000)}`;

const script = `export default () => {
  check(http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } }), { 'is well': ({ status }) => status === 200 });
  http.get(__ENV.BASE_URL + '/odd', { tags: { name: ${JSON.stringify(evil)}, 'my-tag': 'x' } });
  http.get(__ENV.BASE_URL + '/odd', { tags: { name: ${JSON.stringify(evil)}, my_tag: 'x', 'my-tag': '' } });
  sleep(0.03);
};
`;

async function runWith(receiver: Receiver, duration: string, words: string) {
  let asked = 0;
  const target = await startTarget((_, response) => {
    asked += 1;
    const failing = asked % 10 === 0;
    setTimeout(
      () => {
        response.statusCode = failing ? 500 : 200;
        response.end('{}');
      },
      10 + 60 * Math.random() ** 3,
    );
    return true;
  });
  const profile = `sla: {p95: < 10s}
outputs: {prom: {kind: prometheus, url: "${receiver.url}/api/v1/write", query: "${receiver.url}", every: 1s, ${words}}}`;
  const at = fleetPlace(target, { workload: `vus: 6, duration: ${duration}`, runners: 'count: 2', script, profile });
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  const { metrics } = at.summary() as unknown as Summary;
  const told = at.events().filter(({ code }: KeptEvent) => code?.startsWith('output-') === true);
  return { summary: (name: string, stat: string) => metrics[name]?.values[stat] ?? Number.NaN, told };
}

type Ask = (query: string) => Promise<number>;

/** Classic histograms have two buckets to each doubling. That of a quantile is certain, but for a rank that k6 counts otherwise at its edge. */
async function expectClassic(one: Ask, summary: (name: string, stat: string) => number): Promise<void> {
  const requests = summary('http_reqs', 'count');
  expect(await one('sum(k6_http_req_duration_seconds_count)')).toBe(requests);
  expect(await one('sum(increase(k6_http_req_duration_seconds_bucket{le="+Inf"}[10m]))')).toBeCloseTo(requests, 6);
  const average = await one('sum(k6_http_req_duration_seconds_sum) / sum(k6_http_req_duration_seconds_count)');
  expect(average * 1000).toBeCloseTo(summary('http_req_duration', 'avg'), 2);
  for (const [level, stat] of levels) {
    const theirs = await one(`histogram_quantile(${level}, sum by (le) (k6_http_req_duration_seconds_bucket))`);
    const above = 2 ** (Math.ceil(Math.log2(theirs) * 2 - 1e-9) / 2);
    const truth = summary('http_req_duration', stat) / 1000;
    expect([truth > above / Math.SQRT2 / 1.02, truth < above * 1.02], `${level}: ${theirs} s, ${truth} s`).toEqual([true, true]);
  }
}

const levels = [
  [0.5, 'med'],
  [0.9, 'p(90)'],
  [0.95, 'p(95)'],
] as const;

/** Of the buckets that k6's histograms have. */
const bucket = (seconds: number) => Math.ceil(Math.log2(seconds) * 8);

describe.skipIf(!hasPrometheus())('Prometheus 2.42', () => {
  test('has the run: increases and counts are the summary’s, quantiles lie in its buckets, and every series ends', async () => {
    const receiver = await startReceiver(['native-histograms']);
    const { summary, told } = await runWith(receiver, '12s', 'histograms: both, stats: [med, p(95), max]');
    // A busy machine may be slow: that is told, and nothing is lost.
    expect(told.filter(({ code }) => code === 'output-refused' || code === 'output-incomplete')).toEqual([]);
    const series = await receiver.ask('k6_http_reqs_total[10m]');
    const last = Math.max(...series.flatMap(({ values = [] }) => values.map(([at]) => at)));
    const one = async (query: string) => Number((await receiver.ask(query, last))[0]?.value?.[1]);
    const requests = summary('http_reqs', 'count');
    expect(await one('sum(increase(k6_http_reqs_total[10m]))')).toBeCloseTo(requests, 6);
    expect(await one('sum(increase(k6_iterations_total[10m]))')).toBeCloseTo(summary('iterations', 'count'), 6);
    expect(await one('sum(increase(k6_http_req_failed_total{condition="nonzero"}[10m]))')).toBeCloseTo(
      summary('http_req_failed', 'passes'),
      6,
    );
    expect(await one('sum(histogram_count(k6_http_req_duration_seconds))')).toBe(requests);
    const checks = (condition: string) => one(`sum(increase(k6_checks_total{check="is well",condition="${condition}"}[10m]))`);
    expect([await checks('nonzero'), await checks('zero')].map(Math.round)).toEqual([
      summary('checks', 'passes'),
      summary('checks', 'fails'),
    ]);
    expect(await one('k6_checks_rate')).toBeCloseTo(summary('checks', 'rate'), 12);
    const average = await one('sum(histogram_sum(k6_http_req_duration_seconds)) / sum(histogram_count(k6_http_req_duration_seconds))');
    expect(average * 1000).toBeCloseTo(summary('http_req_duration', 'avg'), 2);
    for (const [level, stat] of levels) {
      const theirs = await one(`histogram_quantile(${level}, sum(k6_http_req_duration_seconds))`);
      expect(Math.abs(bucket(theirs) - bucket(summary('http_req_duration', stat) / 1000)), `${level}`).toBeLessThanOrEqual(
        theirs === 0 ? 0 : 1,
      );
    }
    await expectClassic(one, summary);
    // Their limits are limits of the native buckets too: Prometheus counts the same below each of them.
    for (const limit of [2 ** -5.5, 2 ** -5, 2 ** -4.5]) {
      const native = await one(
        `sum(histogram_count(k6_http_req_duration_seconds)) * histogram_fraction(0, ${limit}, sum(k6_http_req_duration_seconds))`,
      );
      expect(await one(`sum(k6_http_req_duration_seconds_bucket{le="${limit}"})`)).toBeCloseTo(native, 6);
    }
    for (const [name, stat] of [
      ['med', 'med'],
      ['p95', 'p(95)'],
      ['max', 'max'],
    ] as const) {
      expect(await one(`count(k6_http_req_duration_${name})`)).toBe(1);
      const theirs = await one(`avg(k6_http_req_duration_${name})`);
      // The middle of a bucket: half a bucket from the truth, and one more where k6 reads a quantile between two samples.
      const apart = Math.abs(Math.log2((theirs * 1000) / summary('http_req_duration', stat)) * 8);
      expect(apart, name).toBeLessThan(name === 'max' ? 0.51 : 1.51);
    }
    expect(await one('max_over_time(sum(k6_vus)[10m:1s])')).toBe(6);
    const labels = series.map(({ metric }) => metric);
    expect(labels.every(({ testid, runner }) => testid !== undefined && runner === undefined)).toBe(true);
    const names = [...new Set(labels.map(({ name = '' }) => name))];
    expect(names).toHaveLength(2);
    expect(Math.max(...names.map((name) => Buffer.byteLength(name)))).toBeLessThanOrEqual(1024);
    expect(labels.some(({ my_tag: tag }) => tag === 'x')).toBe(true);
    expect(await one('loadctl_run_passed')).toBe(1);
    expect(await receiver.ask('{testid!=""}', last + 1)).toEqual([]);
  });

  test('that takes no native histograms has all the rest, classic ones too, and it is told once', async () => {
    const receiver = await startReceiver([]);
    const { summary, told } = await runWith(receiver, '10s', 'histograms: both');
    expect(told.filter(({ code }) => code === 'output-refused')).toMatchObject([{ why: expect.stringContaining('native histograms') }]);
    const series = await receiver.ask('k6_http_reqs_total[10m]');
    const last = Math.max(...series.flatMap(({ values = [] }) => values.map(([at]) => at)));
    await expectClassic(async (query) => Number((await receiver.ask(query, last))[0]?.value?.[1]), summary);
    const total = series.reduce((sum, { values = [] }) => sum + Number(values.at(-1)?.[1]), 0);
    expect(total).toBe(summary('http_reqs', 'count'));
    expect(await receiver.ask('k6_http_req_duration_seconds[10m]')).toEqual([]);
  });
});
