import { expect, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { liveNumbers } from '../../src/metrics/live-numbers.js';
import type { RunnerMetric } from '../../src/metrics/runner-summary.js';
import { standInsFor } from '../../src/phases/run/stand-ins.js';
import type { LiveData } from '../../src/phases/watch/live-data.js';

const lost = runnerId(1);
const requests = (path: string) => ({ labels: { name: 'http_reqs_total', tags: { name: path } }, value: 5 });
const made: RunnerMetric = { type: 'counter', contains: 'default', count: 9 };
const wrote = {
  summary: { metrics: { http_reqs: made }, rootGroup: { name: '', path: '', id: '', groups: [], checks: [] } },
  facts: { durationMs: 1000, contains: {} },
};

function countIn(paths: readonly string[], known: Parameters<typeof standInsFor>[1]): number | undefined {
  const numbers = liveNumbers({ caps: { series: 3 } });
  numbers.take(lost, paths.map(requests));
  const live: Pick<LiveData, 'numbers' | 'heardAt'> = { numbers, heardAt: new Map([[lost, 900]]) };
  const metric = standInsFor([lost], known, { live, releasedAt: 100 }, { thresholds: {} }).get(lost)?.summary.metrics.http_reqs;
  return metric?.type === 'counter' ? metric.count : undefined;
}

test('what a lost runner pushed stands in for its numbers, unless series of it were left out', () => {
  expect(countIn(['/1', '/2', '/3'], [wrote])).toBe(15);
  expect(countIn(['/1', '/2', '/3', '/4'], [wrote])).toBeUndefined();
});

test('where nobody wrote numbers, it is all there is', () => {
  expect(countIn(['/1', '/2', '/3', '/4'], [])).toBe(15);
});
