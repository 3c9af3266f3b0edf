import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AbortRule, Criterion } from '../../src/core/criterion.js';
import type { LoadctlEvent } from '../../src/core/events.js';
import { abortWatch } from '../../src/metrics/abort-watch.js';
import type { JudgedMonitor } from '../../src/metrics/servers/monitor.js';
import { recentLines } from '../../src/metrics/servers/recent.js';
import { breachTeller } from '../../src/phases/watch/watch-breaches.js';

const jobs: JudgedMonitor = { name: 'jobs', kind: 'queue', every: 1000, required: true, gives: ['depth'] };
const when: Criterion = {
  name: 'queueDepth',
  source: 'server',
  metric: 'queueDepth',
  stat: 'max',
  operator: '>',
  limit: 1000,
  unit: '',
  window: 'steady',
};
const rule: AbortRule = { when, for: 3000, after: 0 };

/** The second at which the rule ends a load whose two shards are counted at these seconds; shard b only every 5 s where it is slow. */
function endedAt(deep: (second: number) => boolean, slow: boolean): number | undefined {
  const recent = recentLines([jobs]);
  const watch = abortWatch({}, [rule]);
  for (let second = 0; second < 30; second += 1) {
    const t = second * 1000;
    recent.take({ t, monitor: 'jobs', source: 'a', values: { depth: 10 } });
    const b = { t, monitor: 'jobs', source: 'b', values: { depth: deep(second) ? 20_000 : 5 } };
    if (!slow) recent.take(b);
    else if (second % 5 === 0) recent.take({ ...b, everyMs: 5000 });
    const server = (limit: Criterion, overMs?: number) => recent.sampleOf(limit, t + 500, overMs);
    const total = () => undefined;
    if (watch.look({ elapsedMs: t + 500, seconds: undefined, wholeSeconds: undefined, total, inIterations: total, server })) return second;
  }
  return undefined;
}

test.each([
  ['counted each second', (second: number) => second >= 10, false, 13],
  ['counted every 5 s, twice', (second: number) => second >= 10, true, 20],
  ['counted every 5 s, once', (second: number) => second >= 10 && second < 15, true, undefined],
])('a rule about a queue that is deep in one shard, %s', (_, deep, slow, second) => {
  expect(endedAt(deep, slow)).toBe(second);
});

test('a rule with an average is not reset by each dip, as a CPU that is full most of the time has', () => {
  const app: JudgedMonitor = { name: 'app', kind: 'host', every: 1000, required: true, gives: ['cpu'] };
  const cpu: Criterion = { ...when, name: 'cpu', metric: 'cpu', stat: 'avg', limit: 0.9, unit: '%' };
  const endedBy = (busy: (second: number) => number) => {
    const recent = recentLines([app]);
    const watch = abortWatch({}, [{ when: cpu, for: 10_000, after: 0 }]);
    let sum = 0;
    for (let second = 0; second < 60; second += 1) {
      recent.take({ t: second * 1000, monitor: 'app', source: 'a', values: { cpuBusy: sum, cpuTotal: second } });
      sum += busy(second);
      const server = (limit: Criterion, overMs?: number) => recent.sampleOf(limit, second * 1000 + 100, overMs);
      if (watch.look({ ...lookAt(second * 1000 + 100), server })) return second;
    }
    return undefined;
  };
  expect(endedBy((second) => (second % 4 === 0 ? 0.85 : 1))).toBeLessThanOrEqual(15);
  expect(endedBy((second) => (second % 4 === 0 ? 1 : 0.85))).toBeUndefined();
  expect(endedBy((second) => (second % 20 === 0 ? 5 : 0.5))).toBeUndefined();
});

const nothing = () => undefined;
const lookAt = (elapsedMs: number) => ({
  ...{ elapsedMs, seconds: undefined, wholeSeconds: undefined },
  ...{ total: nothing, inIterations: nothing },
});

/** Depths that stay for some seconds each: runs below, at the edge of and over the limit. */
const depths = fc
  .array(fc.record({ seconds: fc.integer({ min: 1, max: 25 }), depth: fc.constantFrom(10, 900, 1100, 4000) }), {
    minLength: 2,
    maxLength: 12,
  })
  .map((runs) => runs.flatMap(({ seconds, depth }) => Array<number>(seconds).fill(depth)));
const stat = fc.constantFrom('max', 'min', 'avg', 'p75');
const steadyFrom = 3;

/** What the last 10 s of the judged window come to, counted in steps of 100 ms; the look is half a second after the sample. */
function byHand(values: readonly number[], second: number, how: string): number {
  const from = Math.max(second * 10 + 5 - 100, steadyFrom * 10);
  const steps = Array.from({ length: second * 10 + 5 - from }, (_, step) => values[Math.floor((from + step) / 10)] ?? Number.NaN);
  const sorted = steps.sort((a, b) => a - b);
  if (how === 'max') return sorted.at(-1) ?? Number.NaN;
  if (how === 'min') return sorted[0] ?? Number.NaN;
  if (how === 'p75') return sorted[Math.ceil(sorted.length * 0.75) - 1] ?? Number.NaN;
  return sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
}

/** What is told at which second of a limit on a queue that is as deep as this. */
function toldOf(values: readonly number[], how: string): { readonly second: number; readonly type: string; readonly actual: number }[] {
  const limit: Criterion = { ...when, operator: '<', stat: how };
  const recent = recentLines([jobs]);
  const told: { second: number; type: string; actual: number }[] = [];
  let now = 0;
  const emit = (event: LoadctlEvent) => {
    if (event.type === 'limit-breached' || event.type === 'limit-recovered')
      told.push({ second: now, type: event.type, actual: event.actual.value });
  };
  const teller = breachTeller({ criteria: [limit], steady: { from: steadyFrom * 1000, to: 1e9 } }, emit);
  for (const [second, depth] of values.entries()) {
    now = second;
    recent.take({ t: second * 1000, monitor: 'jobs', source: 'a', values: { depth } });
    const server = (asked: Criterion, overMs?: number) => recent.sampleOf(asked, second * 1000 + 500, overMs);
    teller.look({ ...lookAt(second * 1000 + 500), server });
  }
  return told;
}

describe('what is told of a limit', () => {
  test('is told by its statistic over the last 10 s of the judged window, after 10 s, and its end after 10 s', () => {
    fc.assert(
      fc.property(depths, stat, (values, how) => {
        const told = toldOf(values, how);
        const isOver = (second: number) => second >= steadyFrom && (values[second] ?? 0) >= 1000;
        // A look sees the end of the second before.
        const isBad = (second: number) => isOver(second - 1) || isOver(second);
        const isBroken = (second: number) => second >= steadyFrom && byHand(values, second, how) >= 1000;
        const seconds = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
        for (const [index, { second, type, actual }] of told.entries()) {
          expect(type).toBe(index % 2 === 0 ? 'limit-breached' : 'limit-recovered');
          expect(actual).toBeCloseTo(byHand(values, second, how), 6);
          if (type === 'limit-breached') {
            expect(isBroken(second)).toBe(true);
            expect(seconds(0, second - 10).some(isBad)).toBe(true);
          } else expect(seconds(second - 9, second).some((one) => isBad(one) && isBroken(one))).toBe(false);
        }
        const isOpen = (second: number) => told.filter((one) => one.second <= second).at(-1)?.type === 'limit-breached';
        for (let second = steadyFrom + 10; second < values.length; second += 1) {
          const last = seconds(second - 10, second);
          // The last 10 s may hold for so long though values are bad again: what breaks after that begins anew.
          const isAnew = told.some((one) => one.type === 'limit-recovered' && one.second <= second && one.second > second - 12);
          if (!isAnew && last.every(isOver)) expect(isOpen(second), `not told by ${second}`).toBe(true);
          if (!last.some(isBad)) expect(isOpen(second), `open at ${second}`).toBe(false);
          if (last.every(isBroken) && isBad(second) && isBad(second - 10)) expect(isOpen(second), `broken by ${second}`).toBe(true);
          if (!last.some(isBroken)) expect(isOpen(second), `held by ${second}`).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('of a CPU that dips each second second is told; by what was told last each dip ended it', () => {
    const values = [...Array<number>(10).fill(10), ...Array.from({ length: 30 }, (_, second) => (second % 2 === 0 ? 4000 : 10))];
    expect(toldOf(values, 'avg').map(({ type }) => type)).toEqual(['limit-breached']);
  });

  test('a peak of a second is no news, though it is the worst of 10 s', () => {
    expect(toldOf([...Array<number>(10).fill(10), 4000, ...Array<number>(30).fill(10)], 'max')).toEqual([]);
  });
});
