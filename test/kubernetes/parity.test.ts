import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../../src/metrics/summary.js';
import { hasCluster } from '../cluster/cluster.js';
import { targetForPods } from '../cluster/target.js';
import { scenarios, strikes } from '../support/parity.js';
import { durationsIn, expectWithinBounds, pooledOf } from '../support/pooled-truth.js';
import { podsPlace, signalRunner, underLoad } from './support/conducted.js';

const dev = ['--env', 'dev'];

describe.skipIf(!hasCluster)('pods, as other backends (test/live/backends-parity.test.ts)', () => {
  test.each(scenarios)('$title → $code, $verdict', async ({ script, workload, sla, strike, code, verdict, iterations }) => {
    const at = await podsPlace({
      script,
      count: 2,
      hastens: true,
      ...(workload === undefined ? {} : { workload }),
      ...(sla === undefined ? {} : { profile: `sla: ${sla}` }),
    });
    const run = at.start(['run', ...dev]);
    if (strike !== undefined) {
      await underLoad(at, run);
      if (strike === 'interrupt') run.process.kill('SIGINT');
      else await signalRunner(at.space, 2, strikes[strike]);
    }

    const said = await run.said;

    expect([said.code, at.json<{ verdict: string }>('verdict.json')?.verdict], said.stderr).toEqual([code, verdict]);
    if (iterations === undefined) return;
    const counted = at.json<Summary>('summary.json')?.metrics.iterations?.values.count ?? 0;
    expect([counted, at.target.hits.get('GET /work') ?? 0]).toEqual([iterations, iterations]);
  });

  test('three unequal runners, merged, against the pooled raw samples of the same run', async () => {
    const target = await targetForPods((request, response) => {
      setTimeout(() => response.end('{}'), (request.url === '/slow' ? 2 : 1) * (4 - 4 * Math.log(1 - Math.random())));
      return true;
    });
    const at = await podsPlace({
      script: `
import http from 'k6/http';
export const options = { scenarios: { work: { executor: 'per-vu-iterations', vus: 9, iterations: 80, maxDuration: '1m' } } };
const path = __ENV.LOADCTL_RUNNER === '3' ? '/slow' : '/fast';
export default () => { http.get(__ENV.BASE_URL + path); };`,
      target,
      hastens: true,
      workload: 'outputs: [csv=samples.csv]',
      profile: 'sla: {p50: 10s, p90: 10s, p95: 10s, p99: 10s, p99.9: 10s}',
    });

    const said = await at.loadctl(['run', ...dev]);

    expect(said.code, said.stderr).toBe(0);
    const samples = await Promise.all([1, 2, 3].map((id) => durationsIn(join(at.latestRun(), 'runners', String(id), 'samples.csv'))));
    expect(samples.map(({ length }) => length)).toEqual([240, 240, 240]);
    const { metrics, run } = at.json<Summary>('summary.json') ?? {};
    expect(run).toBe(basename(at.latestRun()));
    expect([metrics?.http_req_duration?.values.count, metrics?.http_reqs?.values.count]).toEqual([720, 720]);
    expectWithinBounds(metrics?.http_req_duration, pooledOf(samples));
  });
});
