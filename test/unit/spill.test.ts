import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { scope } from '../../src/core/scope.js';
import { quantityToScalar } from '../../src/kubernetes/quantity.js';
import { summaryTrendStats } from '../../src/metrics/quantile-grid.js';
import { parseRunnerSummary } from '../../src/metrics/runner-summary.js';
import { openSpill } from '../../src/phases/run/spill.js';
import { mergeRunnerSummaries } from '../support/merged.js';

/** A summary of k6 with a Trend of so many samples, and one that was never added to. */
function summaryOf(samples: number) {
  const values = Array.from({ length: samples }, (_, index) => (index * index) / 7);
  const at = (level: number) => values[Math.round((level / 100) * (samples - 1))];
  const own: Record<string, number | undefined> = { count: samples, min: values[0], max: values.at(-1), avg: 5, med: at(50) };
  const trend = Object.fromEntries(summaryTrendStats().map((stat) => [stat, own[stat] ?? at(Number(stat.slice(2, -1)))]));
  const empty = Object.fromEntries(summaryTrendStats().map((stat) => [stat, 0]));
  const metrics = { http_req_duration: trend, waited: empty, http_reqs: { count: samples, rate: 1 } };
  return parseRunnerSummary({ metrics, root_group: { name: '', path: '', id: 'x', groups: {}, checks: {} } });
}

test('numbers that were spilled merge to the same as those that were not, and leave nothing behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-spill-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const summaries = [100, 37, 2500].map(summaryOf);
  const merged = mergeRunnerSummaries(summaries, { durationMs: 1000 });
  await scope(async (defer) => {
    const spill = await openSpill({ privateFolder: async () => folder }, defer);
    const spilled = summaries.map(spill);
    expect(mergeRunnerSummaries(spilled, { durationMs: 1000 })).toEqual(merged);
    expect(readdirSync(folder)).toHaveLength(1);
  });
  expect(readdirSync(folder)).toEqual([]);
  expect(merged.metrics.http_req_duration?.values.count).toBe(2637);
});

test.each([
  ['500m', 0.5],
  ['4', 4],
  ['1Gi', 2 ** 30],
  ['12e6', 12e6],
  ['1.5k', 1500],
  ['100E', 1e20],
])('Kubernetes’ %s are %d', (text, amount) => expect(quantityToScalar(text)).toBeCloseTo(amount, 6));
