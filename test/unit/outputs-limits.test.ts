import { expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import type { LoggedEvent } from '../../src/core/events.js';
import type { Verdict } from '../../src/core/verdict.js';
import { ownSamples } from '../../src/outputs/prometheus/of-events.js';
import { judgedLimits } from '../../src/phases/outputs/judged-limits.js';
import { runId } from '../support/ids.js';
import { load, planHere } from './profile-files.js';

const plan = planHere(
  load({
    'test.yaml': `target: {url: http://shop.example.com}
workload: {script: k6.ts, vus: 100, duration: 1m}
sla: {p99: [< 800ms, < 3s], p95: < 500ms}
critical: {cpu: < 80%}
monitors: {host: {kind: host, here: true}}
abort: [{when: cpu > 95%, for: 10s}]
guards: {allow: [shop.example.com]}
`,
  }),
);
const toGraphs = judgedLimits(plan);
const stamp = { at: 1, t: 1 };
const series = (event: LoggedEvent) =>
  ownSamples(toGraphs(event), { testid: 'r' }).map(({ name, labels, value }) => `${name} ${labels.criterion} ${value}`);

test('what ends a run early is no limit that is met or not', () => {
  const [judged, early] = [...plan.criteria, ...plan.abort.map(({ when }) => when)].filter(({ source }) => source === 'server');
  const sampled = (limit: Criterion | undefined, holds: boolean) => ({
    limit: limit as Criterion,
    monitor: 'host',
    value: 0.11,
    everyMs: 1000,
    holds,
  });
  const samples = [sampled(judged, true), sampled(early, false)];
  expect(series({ ...stamp, type: 'servers-sampled', samples } as LoggedEvent)).toEqual([
    'loadctl_criterion_limit cpu 0.8',
    'loadctl_criterion_actual cpu 0.11',
    'loadctl_criterion_ok cpu 1',
  ]);
});

test('two limits of one name are two, while they are broken and when they are judged', () => {
  const judged = (name: string, limit: string, outcome: string, source = 'client') => ({ name, source, limit, actual: null, outcome });
  const criteria = [
    judged('p99', '< 800 ms', 'fail'),
    judged('p99', '< 3,000 ms', 'pass'),
    judged('p95', '< 500 ms', 'pass'),
    judged('p95', '< 1 ms', 'fail', 'script'),
  ];
  const verdict = { version: 1, run: runId('r'), verdict: 'fail', reasons: [], criteria } as unknown as Verdict;
  expect(series({ ...stamp, type: 'judged', run: runId('r'), verdict }).slice(1)).toEqual([
    'loadctl_criterion_ok p99 < 800 ms 0',
    'loadctl_criterion_ok p99 < 3,000 ms 1',
    'loadctl_criterion_ok p95 1',
    'loadctl_criterion_ok p95 < 1 ms 0',
  ]);
  const [first] = plan.criteria.filter(({ name }) => name === 'p99');
  const broken = { ...stamp, type: 'limit-breached', limit: first, actual: { value: 1, low: 1, high: 1 }, forMs: 1 };
  expect(series(broken as LoggedEvent)).toEqual(['loadctl_criterion_ok p99 < 800 ms 0']);
});
