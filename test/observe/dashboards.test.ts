import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../../src/metrics/summary.js';
import { hasInflux, startInflux } from '../servers/influxdb.js';
import { hasPrometheus, type Receiver, startReceiver } from '../servers/prometheus-receiver.js';
import { fleetPlace, type KeptEvent } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

/** Log-normal, with a tail. */
function delayed(): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Math.min(400, 15 * Math.exp(0.5 * normal) * (Math.random() < 0.02 ? 8 : 1));
}

const script = `export default () => {
  http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } });
  http.get(__ENV.BASE_URL + '/odd', { tags: { name: 'GET /odd' } });
  sleep(0.05);
};
`;

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly refId: string; readonly expr?: string; readonly query?: string }[];
}

function queriesOf(name: string): { readonly what: string; readonly query: string }[] {
  const file = new URL(`../../monitoring/grafana/dashboards/loadctl-${name}.json`, import.meta.url);
  const { panels } = JSON.parse(readFileSync(file, 'utf8')) as { panels: readonly Panel[] };
  return panels.flatMap(({ title, targets }) =>
    targets.map(({ refId, expr, query }) => ({ what: `${title}${refId === 'A' ? '' : ` ${refId}`}`, query: expr ?? query ?? '' })),
  );
}

/** A run of two runners that both data sources heard of, and what it came to. */
async function measured() {
  const [influx, receiver] = await Promise.all([startInflux(), startReceiver(['native-histograms'])]);
  let asked = 0;
  const target = await startTarget((_, response) => {
    asked += 1;
    response.statusCode = asked % 10 === 0 ? 500 : 200;
    setTimeout(() => response.end('{}'), delayed());
    return true;
  });
  const at = fleetPlace(target, {
    workload: 'vus: 6, duration: 12s, outputs: ["json=samples.json"]',
    script,
    profile: `sla: {p95: < 10s, errors: < 50%}
monitors: {here: {kind: host, here: true, every: 1s}}
critical: {cpu: <= 100%}
outputs:
  influx: {kind: influxdb, url: "${influx.url}"}
  prom: {kind: prometheus, url: "${receiver.url}/api/v1/write", query: "${receiver.url}", every: 1s}`,
  });
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  // A busy machine may make the result invalid: its numbers are what is compared.
  expect([0, 111], said.stderr).toContain(said.code);
  const bad = at.events().filter(({ code }: KeptEvent) => code === 'output-refused' || code === 'output-incomplete');
  expect(bad).toEqual([]);
  const { metrics } = at.summary() as unknown as Summary;
  const summary = (metric: string, stat: string) => metrics[metric]?.values[stat] ?? Number.NaN;
  const lines = readFileSync(join(at.latestRun(), 'timeseries.ndjson'), 'utf8').trim().split('\n');
  const seconds = lines.map((line) => JSON.parse(line) as { latency?: Record<'p50' | 'p95' | 'p99', { value: number }> });
  return { at, influx, receiver, summary, seconds, run: at.latestRun().split('/').at(-1) ?? '' };
}

type Measured = Awaited<ReturnType<typeof measured>>;
type Row = Readonly<Record<string, unknown>>;

const sumOf = (rows: readonly Row[], column: string) => rows.reduce((sum, row) => sum + Number(row[column] ?? 0), 0);
const maxOf = (rows: readonly Row[], column: string) => Math.max(...rows.map((row) => Number(row[column] ?? 0)));

/** What each query of a panel must come to in InfluxDB, in buckets of 2 s. */
function influxTruths({ at, summary, seconds }: Measured): Record<string, (rows: Row[]) => void> {
  const requests = summary('http_reqs', 'count');
  const failed = summary('http_req_failed', 'passes');
  const all = at.events().find(({ type }) => type === 'measured') as unknown as { all: { latency: Record<string, { value: number }> } };
  const worst = (level: 'p50' | 'p95' | 'p99') => Math.max(...seconds.map(({ latency }) => latency?.[level].value ?? 0));
  const whole = (level: string) => (rows: Row[]) => expect(rows[0]?.last).toBe(all.all.latency[level]?.value);
  const course = (level: 'p50' | 'p95' | 'p99') => (rows: Row[]) => expect(maxOf(rows, 'max')).toBe(worst(level));
  const { verdict, criteria } = at.verdict() as unknown as { verdict: string; criteria: { name: string; outcome: string }[] };
  const met = criteria.map(({ name, outcome }) => [name, outcome === 'pass']).sort();
  return {
    Verdict: (rows) => expect(rows[0]?.last).toBe(verdict),
    Requests: (rows) => expect(rows[0]?.sum).toBe(requests),
    Failed: (rows) => expect(Number(rows[0]?.sum_sum)).toBeCloseTo(failed / requests, 12),
    p50: whole('p50'),
    p95: whole('p95'),
    p99: whole('p99'),
    'Requests a second': (rows) => expect(sumOf(rows, 'sum') * 2).toBeCloseTo(requests, 6),
    'Requests a second B': (rows) => expect(sumOf(rows, 'sum') * 2).toBeCloseTo(failed, 6),
    'How long requests took': course('p50'),
    'How long requests took B': course('p95'),
    'How long requests took C': course('p99'),
    'Virtual users': (rows) => expect(maxOf(rows, 'max')).toBe(6),
    'Failed requests': (rows) => expect(maxOf(rows, 'sum_sum')).toBeLessThan(0.3),
    'Requests a second by name': (rows) => {
      expect([...new Set(rows.map(({ name }) => name))].sort()).toEqual(['GET /odd', 'GET /work']);
      expect(sumOf(rows, 'sum') * 2).toBeCloseTo(requests, 6);
    },
    'p95 by name': (rows) => expect(maxOf(rows, 'max')).toBeGreaterThan(worst('p50')),
    'Limits: met': (rows) => expect(rows.map(({ criterion, met: is }) => [criterion, is]).sort()).toEqual(met),
    'Limits for the servers': (rows) => expect(rows.every(({ criterion }) => criterion === 'cpu')).toBe(true),
    'Limits for the servers B': (rows) => expect(maxOf(rows, 'last')).toBe(1),
    Monitors: (rows) => expect(rows.every(({ monitor }) => monitor === 'here')).toBe(true),
    'CPUs of the runners': (rows) => expect([...new Set(rows.map(({ runner }) => runner))].sort()).toEqual(['1', '2']),
  };
}

describe.skipIf(!hasInflux() || !hasPrometheus())('the dashboards', () => {
  test('every query of every panel answers, and the truth: against InfluxDB 1.6 and Prometheus 2.42', async () => {
    const run = await measured();
    const truths = influxTruths(run);
    const questions = queriesOf('influxdb');
    expect(questions.map(({ what }) => what)).toEqual(Object.keys(truths));
    for (const { what, query } of questions) {
      const asked = query
        .replaceAll('$testid', run.run)
        .replaceAll('$timeFilter', 'time > now() - 10m')
        .replaceAll('$__interval_ms', '2000')
        .replaceAll('$__interval', '2s');
      const rows = (await run.influx.ask(`${asked}`)).filter((row) =>
        Object.entries(row).some(([key, value]) => key !== 'time' && value !== null),
      );
      expect(rows.length, `${what}: ${asked}`).toBeGreaterThan(0);
      truths[what]?.(rows);
    }
    const marks = await run.influx.ask(`SELECT "text", "tags" FROM "events" WHERE "testid" = '${run.run}'`);
    expect(marks.map(({ text }) => text)).toEqual(['the load begins', 'the load is over']);
    await promTruths(run);

    const samples = join(run.at.latestRun(), 'runners', '1', 'samples.json');
    expect(statSync(samples).size).toBeGreaterThan(10_000);
    const first = JSON.parse(readFileSync(samples, 'utf8').split('\n')[0] ?? '') as { type: string };
    expect(first.type).toBe('Metric');
  });
});

/** Buckets of k6's histograms. */
const bucket = (seconds: number) => Math.ceil(Math.log2(seconds) * 8);

async function promTruths({ at, receiver, run, summary }: Measured): Promise<void> {
  const series = await receiver.ask('k6_http_reqs_total[10m]');
  const last = Math.max(...series.flatMap(({ values = [] }) => values.map(([moment]) => moment)));
  const requests = summary('http_reqs', 'count');
  const failed = summary('http_req_failed', 'passes');
  const span = 600;
  const stats = { p50: 'med', p95: 'p(95)', p99: 'p(99)' } as const;
  const inBucket = (seconds: number, level: keyof typeof stats) => {
    const truth = summary('http_req_duration', stats[level]) / 1000;
    if (!Number.isNaN(truth))
      expect(Math.abs(bucket(seconds) - bucket(truth)), `${level}: ${seconds} s, ${truth} s`).toBeLessThanOrEqual(1);
  };
  const { criteria } = at.verdict() as unknown as { criteria: { name: string; outcome: string }[] };
  const truths: Record<string, (values: Awaited<ReturnType<Receiver['ask']>>) => void> = {
    Verdict: ([one]) => expect(one?.metric.verdict).toBe(at.verdict().verdict),
    Requests: ([one]) => expect(Number(one?.value?.[1])).toBe(requests),
    Failed: ([one]) => expect(Number(one?.value?.[1])).toBeCloseTo(failed / requests, 9),
    p50: ([one]) => inBucket(Number(one?.value?.[1]), 'p50'),
    p95: ([one]) => inBucket(Number(one?.value?.[1]), 'p95'),
    p99: ([one]) => inBucket(Number(one?.value?.[1]), 'p99'),
    'Requests a second': ([one]) => expect(Number(one?.value?.[1]) * span).toBeCloseTo(requests, 4),
    'Requests a second B': ([one]) => expect(Number(one?.value?.[1]) * span).toBeCloseTo(failed, 4),
    'How long requests took': ([one]) => inBucket(Number(one?.value?.[1]), 'p50'),
    'How long requests took B': ([one]) => inBucket(Number(one?.value?.[1]), 'p95'),
    'How long requests took C': ([one]) => inBucket(Number(one?.value?.[1]), 'p99'),
    'Virtual users': ([one]) => expect(Number(one?.value?.[1])).toBeLessThanOrEqual(6),
    'Failed requests': ([one]) => expect(Number(one?.value?.[1])).toBeCloseTo(failed / requests, 6),
    'Requests a second by name': (all) => {
      expect(all.map(({ metric }) => metric.name).sort()).toEqual(['GET /odd', 'GET /work']);
      expect(all.reduce((sum, { value }) => sum + Number(value?.[1]), 0) * span).toBeCloseTo(requests, 4);
    },
    'p95 by name': (all) => expect(all).toHaveLength(2),
    'Limits: met': (all) =>
      expect(all.map(({ metric, value }) => [metric.criterion, value?.[1] === '1']).sort()).toEqual(
        criteria.map(({ name, outcome }) => [name, outcome === 'pass']).sort(),
      ),
    'Limits for the servers': (all) => expect(all.some(({ metric }) => metric.criterion === 'cpu')).toBe(true),
    'Limits for the servers B': (all) => expect(all.find(({ metric }) => metric.criterion === 'cpu')?.value?.[1]).toBe('1'),
    Monitors: (all) => expect(all.every(({ metric }) => metric.monitor === 'here')).toBe(true),
    'CPUs of the runners': (all) => expect(all.map(({ metric }) => metric.runner).sort()).toEqual(['1', '2']),
  };
  const questions = queriesOf('prometheus');
  expect(questions.map(({ what }) => what)).toEqual(Object.keys(truths));
  for (const { what, query } of questions) {
    const asked = query.replaceAll('$testid', run).replaceAll('$__rate_interval', '10m').replaceAll('$__range', '10m');
    const answer = await receiver.ask(asked, last);
    expect(answer.length, `${what}: ${asked}`).toBeGreaterThan(0);
    truths[what]?.(answer);
  }
  const marked = await receiver.ask(`loadctl_phase{testid="${run}", phase="run"}[10m]`);
  expect(marked.flatMap(({ values = [] }) => values.map(([, value]) => value))).toContain('1');
}
