import type { JudgedCriterion, Verdict } from '../../src/core/verdict.js';
import type { Summary, SummaryMetric } from '../../src/metrics/summary.js';
import type { Result } from '../../src/reports/result/result.js';
import type { RunRecord } from '../../src/runs/record.js';
import { runId } from '../support/ids.js';

const run = runId('20261123-195601-k3x9q');

/** A line of a verdict, broken. */
export const broken: JudgedCriterion = {
  name: 'p95',
  source: 'client',
  metric: 'http_req_duration',
  limit: '< 500 ms',
  actual: 612.5,
  low: 611,
  high: 614,
  unit: 'ms',
  window: 'steady 5s–45s',
  outcome: 'fail',
};

const trend = (count: number): SummaryMetric => ({
  type: 'trend',
  contains: 'time',
  values: { count, avg: 9, min: 1, med: 8, max: 700, 'p(50)': 8, 'p(90)': 400, 'p(95)': 612.5, 'p(99)': 690 },
  bounds: { 'p(95)': [611, 614] },
});

/** Numbers of a fleet that asked one endpoint of this name; a check of the script's, and a metric, have it too. */
export function summaryOf(name: string): Summary {
  const tag = `{name:${JSON.stringify(name)}}`;
  return {
    version: 1,
    run,
    k6Version: '2.2.0',
    durationMs: 50_000,
    runners: 2,
    metrics: {
      http_reqs: { type: 'counter', contains: 'default', values: { count: 4000, rate: 80 }, bounds: {} },
      [`http_reqs${tag}`]: { type: 'counter', contains: 'default', values: { count: 4000, rate: 80 }, bounds: {} },
      http_req_duration: trend(4000),
      [`http_req_duration${tag}`]: trend(4000),
      http_req_waiting: trend(4000),
      http_req_failed: { type: 'rate', contains: 'default', values: { rate: 0.25, passes: 1000, fails: 3000 }, bounds: {} },
      checks: { type: 'rate', contains: 'default', values: { rate: 0.75, passes: 3000, fails: 1000 }, bounds: {} },
    },
    rootGroup: {
      name: '',
      path: '',
      id: 'd41d8cd98f00b204e9800998ecf8427e',
      groups: [{ name: 'cart', path: '::cart', id: 'aa', groups: [], checks: [] }],
      checks: [{ name, path: `::${name}`, id: 'bb', passes: 3000, fails: 1000 }],
    },
  };
}

const record = {
  version: 2,
  run,
  environment: 'staging',
  startedAt: 1_795_886_543_309,
  profile: {},
  variables: [],
  overrides: [],
  plan: { criteria: [], runners: [], steady: { from: 5000, to: 45_000 }, options: {}, target: { url: 'http://127.0.0.1:1' } },
  limits: [{ file: 'profiles/staging.yaml', line: 12 }],
  target: { url: 'http://127.0.0.1:1' },
  scriptThresholds: { http_req_duration: ['p(95)<500', 'p(95)<900'] },
  archiveSha256: '00',
  versions: { loadctl: '0.1.0', k6: '2.2.0', node: '20.20.0' },
  by: { user: 'ci', host: 'here', pid: 1 },
};

/** A result with so much of a verdict changed; `name` is what the target and the script call things. */
export function resultOf(verdict: Partial<Verdict> = {}, name = 'GET /events'): Result {
  const whole: Verdict = {
    version: 1,
    run,
    verdict: 'fail',
    reasons: ['p95 612.5 ms (limit < 500 ms).'],
    criteria: [broken],
    ...verdict,
  };
  // As read from a file: what is missing here is not asked.
  const read: RunRecord = JSON.parse(JSON.stringify(record));
  return {
    environment: 'staging',
    judged: { record: read, summary: summaryOf(name), verdict: whole },
    errors: [],
    reasons: whole.verdict === 'pass' ? [] : ['sla-failed'],
  };
}
