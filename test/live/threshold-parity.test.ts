import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { type PushAddress, startReceiver } from '../../src/k6/remote-write/receiver.js';
import { evaluate } from '../../src/metrics/evaluate.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import { readTotal } from '../../src/metrics/live-total.js';
import { findMetric } from '../../src/metrics/metric-key.js';
import { summaryTrendStats } from '../../src/metrics/quantile-grid.js';
import { parseRunnerSummary } from '../../src/metrics/runner-summary.js';
import type { MetricType } from '../../src/metrics/summary.js';
import { isProblem, parseThreshold, readScriptThresholds } from '../../src/metrics/threshold.js';
import { mergeRunnerSummaries } from '../support/merged.js';

/** Every shape of metric: many samples, one, ties, negatives, floats that round, sub-metrics by tag, none at all. */
const samples = `
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
const orders = new Counter('orders'), money = new Counter('money'), won = new Rate('won'), always = new Rate('always'), never = new Rate('never');
const cart = new Gauge('cart'), debt = new Gauge('debt'), points = new Trend('points'), wait = new Trend('wait', true), single = new Trend('single');
new Counter('no_counter'); new Rate('no_rate'); new Gauge('no_gauge'); new Trend('no_trend');
export default function () {
  for (let n = 0; n < 30; n += 1) orders.add(1, { kind: n < 10 ? 'a' : 'b', shop: n % 2 ? 'odd' : 'even' });
  for (let n = 0; n < 10; n += 1) money.add(0.1);
  for (let n = 0; n < 8; n += 1) won.add(n % 4 !== 0, { kind: n < 4 ? 'a' : 'b' });
  always.add(true); never.add(false);
  for (const value of [9, 2, 7]) cart.add(value);
  debt.add(-1.5);
  for (const value of [5, -3, 0, 10, 5, 0, 2, 5, 100.5]) points.add(value, { kind: value > 4 ? 'big' : 'small' });
  for (let n = 1; n <= 100; n += 1) wait.add(n);
  single.add(42);
}`;

const types: Readonly<Record<string, MetricType>> = {
  orders: 'counter',
  money: 'counter',
  won: 'rate',
  always: 'rate',
  never: 'rate',
  cart: 'gauge',
  debt: 'gauge',
  points: 'trend',
  wait: 'trend',
  single: 'trend',
  no_counter: 'counter',
  no_rate: 'rate',
  no_gauge: 'gauge',
  no_trend: 'trend',
  iterations: 'counter',
  vus: 'gauge',
};

/** Thresholds of metrics that have samples (a counter without any is a measured zero). */
const measured: Readonly<Record<string, readonly string[]>> = {
  orders: [
    'count==30',
    'count===30',
    'count!=30',
    'count<30',
    'count<=30',
    'count>30',
    'count>=30',
    ' count > 29.5',
    'count<3e1',
    'count>0x1p4',
    'rate>0',
    'rate<0',
  ],
  'orders{kind:a}': ['count==10', 'count>10', 'rate>=0'],
  'orders{kind:b,shop:odd}': ['count==10', 'count<10'],
  'orders{ shop:"even" , kind:a }': ['count==5', 'count>5'],
  money: ['count==1', 'count<1', 'count>0.99', 'count!=1'],
  won: ['rate==0.75', 'rate>0.75', 'rate>=.75', 'rate<1', 'rate<=7.5e-1', 'rate!=0.75'],
  'won{kind:b}': ['rate==0.75', 'rate<0.5'],
  always: ['rate==1', 'rate>1', 'rate>0.999'],
  never: ['rate==0', 'rate<0', 'rate<0.001'],
  cart: ['value==7', 'value<9', 'value>7', 'value!=2'],
  debt: ['value<0', 'value==-1.5', 'value>-1', 'value<=-1_0'],
  points: [
    'avg<14',
    'avg>13.8',
    'min==-3',
    'min>-3',
    'max==100.5',
    'max<100.5',
    'med==5',
    'med<5',
    'p(50)==5',
    'p(0)==-3',
    'p(100)==100.5',
    'p(90)<28.2',
    'p(90)>=28.1',
    'p(95)<70',
    'p(99.9)>99',
    'p(25)==0',
    'p(12.5)<=0',
    'p<0',
  ],
  'points{kind:big}': ['min>=5', 'p(95)>50', 'med==5', 'avg<25'],
  'points{kind:small}': ['max<=2', 'p(75)<1', 'med>0'],
  wait: [
    'p(95)<95.06',
    'p(95)<95',
    'p(99.99)>99.9',
    'p(99.99)<=99.99',
    'med==50.5',
    'avg==50.5',
    'max<=100',
    'min<1',
    'p(95.00)>=95.05',
    'p(1e1)<11',
  ],
  single: ['min==42', 'max==42', 'avg==42', 'p(99)==42', 'med<42'],
  no_counter: ['count==0', 'count<0', 'count<1'],
  iterations: ['count==1', 'count>1'],
};

/** What has no samples: k6 lets all but some pass, loadctl says that there is no data. */
const unmeasured: Readonly<Record<string, readonly string[]>> = {
  no_rate: ['rate>0.9'],
  no_gauge: ['value<5', 'value>5'],
  no_trend: ['p(95)<500', 'avg>1', 'max<1'],
  'points{kind:none}': ['p(95)<500'],
  'won{kind:none}': ['rate>0.5'],
};

/** What has no samples either, and where zero is data: an upper limit on a rate of the script's own, and limits that only show a metric. */
const zero: Readonly<Record<string, readonly string[]>> = {
  no_rate: ['rate<0.1', 'rate<=0', 'rate==0', 'rate>=0'],
  no_gauge: ['value>=0'],
  no_trend: ['max>=0'],
  'points{kind:none}': ['p(95)>=0'],
  'won{kind:none}': ['rate<=0.5', 'rate<=1'],
};

/** What k6 must refuse, and loadctl too. */
const wrong: readonly (readonly [metric: string, threshold: string])[] = [
  ['points', 'p(95)<'],
  ['points', 'p(101)<1'],
  ['points', 'p(-1)<1'],
  ['points', 'p( 95)<1'],
  ['points', 'P(95)<1'],
  ['points', 'count>1'],
  ['points', 'rate>1'],
  ['points', 'value>1'],
  ['orders', 'p(95)<1'],
  ['orders', 'value<1'],
  ['orders', 'count<1ms'],
  ['orders', 'count=1'],
  ['orders', 'count<>1'],
  ['won', 'count>1'],
  ['cart', 'rate>1'],
  ['cart', 'avg<1'],
  ['nothing_there', 'count>1'],
  ['orders', ''],
  ['orders{kind:a', 'count>1'],
  ['orders{kind}', 'count>1'],
];

interface K6Said {
  readonly code: number;
  readonly folder: string;
}

function runK6(thresholds: Readonly<Record<string, readonly string[]>>, stats: readonly string[], push?: PushAddress): Promise<K6Said> {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-parity-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, 'script.js');
  writeFileSync(script, `${samples}\nexport const options = { thresholds: ${JSON.stringify(thresholds)} };`);
  const args = [
    'run',
    '--quiet',
    '--summary-trend-stats',
    summaryTrendStats(stats).join(','),
    '--summary-export',
    join(folder, 'summary.json'),
    script,
  ];
  if (push !== undefined) args.push('--out', 'experimental-prometheus-rw');
  const pushing = push && {
    K6_FEATURES: 'native-histograms',
    K6_PROMETHEUS_RW_SERVER_URL: push.url,
    K6_PROMETHEUS_RW_BEARER_TOKEN: push.token,
  };
  return new Promise((resolve) => {
    const { PATH = '', HOME = '', LOADCTL_K6 = 'k6' } = process.env;
    const child = execFile(LOADCTL_K6, args, { env: { PATH, HOME, K6_NO_USAGE_REPORT: 'true', ...pushing } }, () =>
      resolve({ code: child.exitCode ?? -1, folder }),
    );
  });
}

interface Exported {
  readonly metrics: Readonly<
    Record<string, { readonly count?: number; readonly rate?: number; readonly thresholds?: Readonly<Record<string, boolean>> }>
  >;
}

test('the same samples, the same thresholds: loadctl and k6 agree on each', async () => {
  const names = new Set([measured, unmeasured, zero].flatMap(Object.keys));
  const all = Object.fromEntries([...names].map((name) => [name, [measured, unmeasured, zero].flatMap((some) => some[name] ?? [])]));
  const entries = Object.entries(all).flatMap(([metric, list]) => list.map((source) => ({ metric, source })));
  expect(entries.length).toBeGreaterThanOrEqual(60);
  const expressions = entries.map(({ metric, source }) => ({ metric, source, expression: parseThreshold(source) }));
  const stats = expressions.flatMap(({ expression }) => (isProblem(expression) ? [] : [expression.stat]));

  const { code, folder } = await runK6(all, stats);

  expect(code).toBe(99);
  const exported = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as Exported;
  const { count = 0, rate = 1 } = exported.metrics.orders ?? {};
  const merged = mergeRunnerSummaries([parseRunnerSummary(exported)], { durationMs: (count / rate) * 1000, percentiles: stats });
  const compared = expressions.map(({ metric, source, expression }) => {
    if (isProblem(expression)) throw new Error(`${source}: ${expression.error}`);
    const failed = findMetric(exported.metrics, metric)?.thresholds?.[source];
    const { outcome } = evaluate(metric, expression, findMetric(merged.metrics, metric));
    return {
      threshold: `${metric}: ${source}`,
      k6: failed === undefined ? 'unknown' : failed ? 'fail' : 'pass',
      loadctl: outcome as string,
    };
  });

  const isUnmeasured = ({ threshold }: { threshold: string }) =>
    Object.entries(unmeasured).some(([metric, list]) => list.some((source) => threshold === `${metric}: ${source}`));
  expect(compared.filter((one) => !isUnmeasured(one) && one.k6 !== one.loadctl)).toEqual([]);
  expect(compared.filter((one) => isUnmeasured(one) && (one.loadctl !== 'no-data' || one.k6 === 'unknown'))).toEqual([]);
});

test('live data never says otherwise than k6: a limit inside its bounds is undecided', async () => {
  const numbers = liveNumbers();
  const receiver = await startReceiver([runnerId(1)], {
    pushed: (runner, series) => numbers.take(runner, series),
    admits: numbers.admits,
    rejected: (why) => expect(why).toBeUndefined(),
  });
  onTestFinished(() => receiver.close());

  const { folder } = await runK6(measured, [], receiver.addressFor(runnerId(1)));

  const exported = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as Exported;
  const { count = 0, rate = 1 } = exported.metrics.orders ?? {};
  const seconds = { low: count / rate, high: count / rate };
  const compared = Object.entries(measured).flatMap(([metric, list]) =>
    list.map((source) => {
      const expression = parseThreshold(source);
      const total = numbers.total(metric);
      if (isProblem(expression)) throw new Error(source);
      const { outcome } = evaluate(metric, expression, total && readTotal(total, [expression.stat], seconds));
      const failed = findMetric(exported.metrics, metric)?.thresholds?.[source];
      return { threshold: `${metric}: ${source}`, k6: failed ? 'fail' : 'pass', live: outcome };
    }),
  );
  expect(compared.filter(({ k6, live }) => k6 !== live && live !== 'undecided' && live !== 'no-data')).toEqual([]);
  expect(compared.filter(({ live }) => live === 'no-data').map(({ threshold }) => threshold.split(':')[0])).toEqual([
    'no_counter',
    'no_counter',
    'no_counter',
  ]);
  expect(compared.filter(({ live }) => live === 'undecided').length).toBeLessThan(compared.length / 2);
});

test.each(wrong)('%s: "%s" is an error in both', async (metric, threshold) => {
  const { problems } = readScriptThresholds({ [metric]: [threshold] }, types);
  const { code } = await runK6({ [metric]: [threshold] }, []);
  expect([code, problems.length]).toEqual([104, 1]);
});
