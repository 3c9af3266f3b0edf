import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import type { HandleSummaryData } from '../../src/metrics/handle-summary.js';
import { handleSummaryData, trendStatsOf } from '../../src/metrics/handle-summary.js';
import { summaryTrendStats } from '../../src/metrics/quantile-grid.js';
import { type ContainsByName, parseRunnerSummary, type RunnerSummary } from '../../src/metrics/runner-summary.js';
import { runId } from '../support/ids.js';
import { mergeRunnerSummaries } from '../support/merged.js';
import { startTarget } from '../support/target.js';

const k6 = process.env.LOADCTL_K6 ?? 'k6';

/** Fixed work: twenty iterations with everything that a summary can hold. */
const script = `
import { check, group } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const orders = new Counter('orders'), bytes = new Counter('spent_time', true), depth = new Gauge('depth'), wins = new Rate('wins');
const size = new Trend('size'), wait = new Trend('wait', true);
const never = [new Trend('never_trend'), new Gauge('never_gauge'), new Rate('never_rate'), new Counter('never_counter')];
const own = {
  size: ['p(99.90)<5000', 'p(95)<1', 'med>=0', 'avg<1e3'],
  'wait{ kind:odd }': ['max>=0'],
  'wait{kind:none}': ['max>=0'],
  orders: ['count>100', { threshold: 'rate>0', abortOnFail: true, delayAbortEval: '1h' }],
  wins: ['rate > 0.1'],
  depth: ['value<100'],
  'http_req_duration{name:home}': ['p(95)<60000'],
};
const ours = { 'http_reqs{part:steady}': ['count>=0'], 'http_req_duration{part:steady}': ['max>=0'], 'never_rate{part:steady}': ['rate>=0'] };
export const options = {
  scenarios: { work: { executor: 'shared-iterations', vus: 4, iterations: 20 } },
  summaryTrendStats: ['avg', 'count', 'med', 'p(99.90)', 'p(95)', 'max'],
  summaryTimeUnit: 'ms',
  thresholds: __ENV.OURS ? { ...own, ...ours } : own,
};
export function setup() { return { token: 'abc', list: [1, { two: 2 }] }; }
export default function () {
  const n = exec.scenario.iterationInTest;
  if (__ENV.OURS) exec.vu.metrics.tags.part = 'steady';
  orders.add(2); bytes.add(1500); depth.add(7); wins.add(n % 3 === 0); size.add(n * n); wait.add(n * 10, { kind: n % 2 ? 'odd' : 'even' });
  group('shop', () => {
    check(n, { 'n is there': (v) => v >= 0, 'n is even': (v) => v % 2 === 0 });
    group('basket', () => check(http.get(__ENV.BASE_URL + '/', { tags: { name: 'home' } }), { 'is 200': (r) => r.status === 200 }));
  });
  group('nothing', () => {});
  check(n, { 'outside of groups': () => true });
}
export function handleSummary(data) { return { [__ENV.DATA_FILE]: JSON.stringify(data) }; }
`;

interface Ran {
  readonly data: HandleSummaryData;
  readonly summary: RunnerSummary;
}

async function prepare(): Promise<(name: string, args: readonly string[], env?: Record<string, string>) => Promise<Ran>> {
  const folder = await mkdtemp(join(tmpdir(), 'loadctl-shape-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { url } = await startTarget();
  await writeFile(join(folder, 'script.js'), script);
  return async (name, args, more = {}) => {
    const [dataFile, exportFile] = [join(folder, `${name}-data.json`), join(folder, `${name}-export.json`)];
    const env = { PATH: process.env.PATH, HOME: folder, K6_NO_USAGE_REPORT: 'true', BASE_URL: url, DATA_FILE: dataFile, ...more };
    // Thresholds fail on purpose, so the exit status (99) says nothing.
    await promisify(execFile)(k6, ['run', '--quiet', '--summary-export', exportFile, ...args, 'script.js'], { cwd: folder, env }).catch(
      ({ code, stderr }: { code?: number; stderr?: string }) => expect(code, stderr).toBe(99),
    );
    const data = JSON.parse(await readFile(dataFile, 'utf8')) as HandleSummaryData;
    const contains: ContainsByName = Object.fromEntries(Object.entries(data.metrics).map(([key, metric]) => [key, metric.contains]));
    return { data, summary: parseRunnerSummary(JSON.parse(await readFile(exportFile, 'utf8')), contains) };
  };
}

const grid = ['--summary-trend-stats', summaryTrendStats(['p(99.90)']).join(',')];

function rebuild(ran: readonly Ran[], options: Record<string, unknown>): HandleSummaryData {
  const durationMs = Math.max(...ran.map(({ data }) => data.state.testRunDurationMs));
  const merged = mergeRunnerSummaries(
    ran.map(({ summary }) => summary),
    { durationMs, percentiles: trendStatsOf(options) },
  );
  const summary = { version: 1, run: runId('r'), k6Version: '2.2.0', durationMs, runners: ran.length, ...merged } as const;
  return handleSummaryData(summary, { options, setupData: ran[0]?.data.setup_data, terminal: { stdout: false, stderr: false } });
}

/** The script's options as `k6 inspect` would tell them. */
const thresholds = {
  size: ['p(99.90)<5000', 'p(95)<1', 'med>=0', 'avg<1e3'],
  'wait{ kind:odd }': ['max>=0'],
  'wait{kind:none}': ['max>=0'],
  orders: ['count>100', { threshold: 'rate>0', abortOnFail: true, delayAbortEval: '1h' }],
  wins: ['rate > 0.1'],
  depth: ['value<100'],
  'http_req_duration{name:home}': ['p(95)<60000'],
};
const options = { thresholds, summaryTrendStats: ['avg', 'count', 'med', 'p(99.90)', 'p(95)', 'max'], summaryTimeUnit: 'ms' };

/** Keys and types of a value, with those values that do not depend on time. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, shape(inner)]),
  );
}

it('one runner: the rebuilt data is the data that k6 handed over, number by number', async () => {
  const run = await prepare();
  const one = await run('one', grid);
  const expected = {
    ...one.data,
    options: { ...one.data.options, summaryTrendStats: options.summaryTrendStats },
    metrics: Object.fromEntries(
      Object.entries(one.data.metrics).map(([key, metric]) => {
        const chosen = options.summaryTrendStats.map((stat) => [stat, metric.values[stat]]);
        return [key, metric.type === 'trend' ? { ...metric, values: Object.fromEntries(chosen) } : metric];
      }),
    ),
  };
  const rebuilt = rebuild([one], options);
  expect(rebuilt).toEqual(expected);
});

it('three runners with metrics of our own: keys, types, counts, groups and checks are those of one k6', async () => {
  const run = await prepare();
  const sequence = ['--execution-segment-sequence', '0,1/4,1/2,1'];
  const segment = (part: string) => ['--execution-segment', part, ...sequence, ...grid];
  const alone = await run('alone', []);
  const fleet = await Promise.all([
    run('first', segment('0:1/4'), { OURS: '1' }),
    run('second', segment('1/4:1/2'), { OURS: '1' }),
    run('third', segment('1/2:1'), { OURS: '1' }),
  ]);
  const rebuilt = rebuild(fleet, options);
  expect(shape(rebuilt)).toEqual(shape(alone.data));
  expect(rebuilt.root_group).toEqual(alone.data.root_group);
  expect(rebuilt.options).toEqual(alone.data.options);
  expect(rebuilt.setup_data).toEqual(alone.data.setup_data);
  for (const [key, metric] of Object.entries(alone.data.metrics)) {
    const found = rebuilt.metrics[key];
    expect({ key, type: found?.type, contains: found?.contains }).toEqual({ key, type: metric.type, contains: metric.contains });
    expect(Object.keys(found?.values ?? {}).sort()).toEqual(Object.keys(metric.values).sort());
    for (const stat of ['count', 'passes', 'fails']) {
      const bytes = key.startsWith('data_');
      if (!bytes) expect({ key, stat, value: found?.values[stat] }).toEqual({ key, stat, value: metric.values[stat] });
    }
  }
  expect(rebuilt.metrics.depth?.values).toEqual(alone.data.metrics.depth?.values);
  for (const stat of ['avg', 'max', 'count']) expect(rebuilt.metrics.size?.values[stat]).toBe(alone.data.metrics.size?.values[stat]);
});
