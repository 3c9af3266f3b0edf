import { expect, test } from 'vitest';
import { workloadHash, workloadParts } from '../../src/plan/workload-hash.js';
import { load, planHere } from './profile-files.js';

const base = `target: {url: http://127.0.0.1:8080}
workload: {script: k6.ts, vus: 10, duration: 1m, options: {rps: 5}}
runners: {count: 2}
sla: {p95: < 1s}
`;
const planWith = (set: readonly string[]) => planHere(load({ 'test.yaml': base }, { set }));

test.each([
  ['an output', 'outputs={hook: {kind: webhook, url: http://127.0.0.1:9}}'],
  ['a dashboard', 'outputs={graf: {kind: grafana, url: http://127.0.0.1:9}}'],
  ['a monitor', 'monitors={m: {kind: host, here: true}}'],
  ['a limit', 'sla.p95=< 2s'],
  ['a target', 'target.url=http://127.0.0.1:9090'],
])('%s more or otherwise is the same workload, in another plan', (_, set) => {
  const [one, other] = [planWith([]), planWith([set])];
  expect(other.hash).not.toBe(one.hash);
  expect(workloadHash(other)).toBe(workloadHash(one));
});

test.each(['workload.vus=11', 'workload.duration=2m', 'runners.count=3', 'workload.options.rps=6', 'workload.outputs=[json=a.json]'])(
  '%s is another workload',
  (set) => {
    expect(workloadHash(planWith([set]))).not.toBe(workloadHash(planWith([])));
  },
);

test.each([
  ['workload.vus=11', 'load'],
  ['workload.pacing=2s', 'pacing'],
  ['workload.mix={home: 60%, cart: 40%}', 'mix and sessions'],
  ['workload.options.rps=6', 'variables and options'],
  ['runners.count=3', 'runners'],
])('of two workloads only that part is named which was changed: %s', (set, part) => {
  const drawn = ['workload.pacing=1s', 'workload.endpoints={home: GET /, cart: GET /cart}', 'workload.mix={home: 50%, cart: 50%}'];
  const [one, other] = [planWith(drawn), planWith([...drawn, set])].map(workloadParts);
  const differing = Object.keys({ ...one, ...other }).filter((name) => one?.[name] !== other?.[name]);
  expect(differing).toEqual([part]);
});
