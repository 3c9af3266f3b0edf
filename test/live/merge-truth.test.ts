import { chmodSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Verdict } from '../../src/core/verdict.js';
import type { Summary } from '../../src/metrics/summary.js';
import { workplace } from '../support/loadctl.js';
import { durationsIn, expectWithinBounds, pooledOf } from '../support/pooled-truth.js';
import { startTarget } from '../support/target.js';

const script = `
import http from 'k6/http';
export const options = { scenarios: { work: { executor: 'per-vu-iterations', vus: 12, iterations: 500, maxDuration: '2m' } } };
const path = __ENV.LOADCTL_RUNNER === '3' ? '/slow' : '/fast';
export default () => { http.get(__ENV.BASE_URL + path); };
`;

/** k6 with one more output: every sample as CSV, a file for each runner. */
const k6WithCsv = (k6: string) => `#!/bin/sh
if [ "$1" = run ] && [ -n "$LOADCTL_RUNNER" ]; then exec '${k6}' "$@" --out "csv=$(dirname "$0")/samples-$LOADCTL_RUNNER.csv"; fi
exec '${k6}' "$@"
`;

test('three unequal runners, merged, against the pooled raw samples of the same run', async () => {
  const target = await startTarget(answerSmoothly);
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js}\nrunners: {count: 3}\nsla: {p50: 10s, p90: 10s, p95: 10s, p99: 10s, p99.9: 10s}\n`,
    'script.js': script,
    'k6.sh': k6WithCsv(process.env.LOADCTL_K6 ?? 'k6'),
  });
  chmodSync(join(place.folder, 'k6.sh'), 0o755);

  const said = await place.loadctl(['run', '--env', 'dev'], { LOADCTL_K6: join(place.folder, 'k6.sh') });
  expect(said.code, said.stdout).toBe(0);
  const { criteria } = JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8')) as Verdict;
  expect(criteria.map(({ outcome }) => outcome)).toEqual(['pass', 'pass', 'pass', 'pass', 'pass']);

  const samples = await Promise.all(['1', '2', '3'].map((id) => durationsIn(join(place.folder, `samples-${id}.csv`))));
  expect(samples.map((of) => of.length >= 2000)).toEqual([true, true, true]);
  const pooled = pooledOf(samples);
  const summary = JSON.parse(readFileSync(join(place.latestRun(), 'summary.json'), 'utf8')) as Summary;
  const merged = summary.metrics.http_req_duration;

  expect(merged?.values.count).toBe(pooled.length);
  expect(summary.metrics.http_reqs?.values.count).toBe(pooled.length);
  const widths = expectWithinBounds(merged, pooled);
  for (const [stat, widest] of [
    ['p(50)', 0.01],
    ['p(90)', 0.01],
    ['p(95)', 0.01],
    ['p(99)', 0.03],
  ] as const)
    expect(widths[stat], `width of the bounds at ${stat}`).toBeLessThan(widest);
});

/**
 * Answers after a time drawn from a smooth distribution, twice as long on the slow path. Timers know whole milliseconds
 * only: the last part of each is waited out, for so few requests a second that it does not fill a CPU.
 */
function answerSmoothly(request: IncomingMessage, response: ServerResponse): boolean {
  const begun = performance.now();
  const due = begun + (request.url === '/slow' ? 2 : 1) * (6 - 8 * Math.log(1 - Math.random()));
  setTimeout(
    () => {
      while (performance.now() < due);
      response.end('{}');
    },
    Math.floor(due - begun) - 1,
  );
  return true;
}
