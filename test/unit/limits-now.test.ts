import { expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import type { LiveLook } from '../../src/metrics/abort-watch.js';
import { limitsNow } from '../../src/metrics/limits-now.js';
import type { LiveTotal } from '../../src/metrics/live-total.js';
import type { ScriptThreshold } from '../../src/metrics/threshold.js';

const criterion = (name: string, metric: string, more: Partial<Criterion>): Criterion => ({
  name,
  source: 'client',
  metric,
  stat: 'rate',
  operator: '<',
  limit: 0.01,
  unit: '%',
  window: 'steady',
  ...more,
});
const errors = criterion('errors', 'http_req_failed', {});
const throughput = criterion('throughput', 'http_reqs', { operator: '>=', limit: 90, unit: '/s' });
const cpu = criterion('cpu', 'cpu', { source: 'server' });

/** At `second`, of 100 requests a second so many have failed. */
function look(second: number, failed: number): LiveLook {
  const totals: Record<string, LiveTotal> = {
    http_req_failed: { kind: 'rate', contains: 'default', passes: failed, total: second * 100 },
    http_reqs: { kind: 'counter', contains: 'default', count: second * 100 },
  };
  const total = (metric: string) => totals[metric];
  const seconds = { low: second, high: second };
  return { elapsedMs: second * 1000, seconds, wholeSeconds: seconds, total, inIterations: total };
}

test('limits for the clients stand at what the judged window has so far, and stay where it ended', () => {
  const now = limitsNow({ criteria: [errors, throughput, cpu], steady: { from: 10_000, to: 30_000 } }, {});
  // The ramp's fifty errors are not judged.
  expect(now(look(5, 30))).toEqual([{ limit: errors }, { limit: throughput }]);
  expect(now(look(10, 50))).toEqual([{ limit: errors }, { limit: throughput }]);
  expect(now(look(20, 50))).toEqual([
    { limit: errors, value: 0, outcome: 'pass' },
    { limit: throughput, value: expect.closeTo(100, -1), outcome: 'pass' },
  ]);
  const atEnd = now(look(30, 150));
  expect(atEnd[0]).toEqual({ limit: errors, value: 0.05, outcome: 'fail' });
  expect(now(look(35, 900))).toEqual(atEnd);
});

test('without a window the whole load counts; the limits of the servers are told elsewhere', () => {
  const now = limitsNow({ criteria: [errors, cpu] }, {});
  expect(now(look(10, 50))).toEqual([{ limit: errors, value: 0.05, outcome: 'fail' }]);
});

test('the script’s own limits are of the whole test; without data nobody knows', () => {
  const threshold = (stat: string): ScriptThreshold => ({
    expression: { stat, operator: '<', limit: 0.1 },
    abortOnFail: false,
    delayAbortMs: 0,
    source: `${stat}<0.1`,
  });
  const now = limitsNow(
    { criteria: [], steady: { from: 10_000, to: 30_000 } },
    { http_req_failed: [threshold('rate')], mine: [threshold('max')] },
  );
  const [known, unknown] = now(look(5, 30));
  expect(known).toMatchObject({ limit: { source: 'script', metric: 'http_req_failed', unit: '%' }, value: 0.06, outcome: 'pass' });
  expect(unknown).toEqual({ limit: expect.objectContaining({ metric: 'mine' }) });
});
