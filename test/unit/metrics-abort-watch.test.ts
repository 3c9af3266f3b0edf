import { expect, test } from 'vitest';
import type { AbortRule, Criterion } from '../../src/core/criterion.js';
import { abortWatch as abortLimits, type LiveLook } from '../../src/metrics/abort-watch.js';
import type { LiveTotal } from '../../src/metrics/live-total.js';
import { readScriptThresholds } from '../../src/metrics/threshold.js';
import { stopReason } from '../../src/reporters/sentences/stop.js';

const errorsAbove5: Criterion = {
  name: 'errors',
  source: 'client',
  metric: 'http_req_failed',
  stat: 'rate',
  operator: '>',
  limit: 0.05,
  unit: '%',
  window: 'steady',
};

const rule = (when: Partial<Criterion>, more: Partial<AbortRule> = {}): AbortRule => ({
  when: { ...errorsAbove5, ...when },
  for: 0,
  after: 0,
  ...more,
});
const failed = (passes: number, total: number): LiveTotal => ({ kind: 'rate', contains: 'default', passes, total });
const requests = (count: number): LiveTotal => ({ kind: 'counter', contains: 'default', count });
/** Samples between 557 and 607 ms: one bucket. */
const slow = (count: number): LiveTotal => ({
  kind: 'trend',
  contains: 'time',
  scale: 1000,
  histogram: { count, sum: count * 0.58, zeroCount: 0, positive: new Map([[-6, count]]), negative: new Map() },
});

/** A look after so many seconds; everything a runner pushed came a quarter of a second ago. */
function look(
  seconds: number,
  totals: Record<string, LiveTotal>,
  span: LiveLook['seconds'] = { low: seconds - 0.25, high: seconds },
): LiveLook {
  const total = (metric: string) => totals[metric];
  return { elapsedMs: seconds * 1000, seconds: span, wholeSeconds: span, total, inIterations: total };
}

const abortWatch = (...of: Parameters<typeof abortLimits>) => abortLimits(...of).look;
const thresholds = (form: unknown) => readScriptThresholds(form).byMetric;

test('a threshold with abortOnFail is crossed over the whole test, and says where and at what value', () => {
  const watch = abortWatch(thresholds({ http_req_duration: [{ threshold: 'p(95)<400', abortOnFail: true }] }), []);
  expect(watch(look(1, {}))).toBeUndefined();
  const crossing = watch(look(12, { http_req_duration: slow(100) }));
  expect(crossing && stopReason(crossing)).toBe(
    "The script's threshold http_req_duration p(95) < 400 ms was crossed after 12s: it was between 545 ms and 595 ms.",
  );
});

test('a limit inside the bounds, no samples, or a threshold without abortOnFail end nothing', () => {
  const trend = { http_req_duration: slow(100) };
  const crossed = (form: unknown, totals: Record<string, LiveTotal>) => abortWatch(thresholds(form), [])(look(5, totals));
  expect(crossed({ http_req_duration: [{ threshold: 'p(95)<570', abortOnFail: true }] }, trend)).toBeUndefined();
  expect(crossed({ http_req_duration: [{ threshold: 'p(95)<300', abortOnFail: true }] }, { http_req_duration: slow(0) })).toBeUndefined();
  expect(crossed({ http_req_duration: ['p(95)<300'] }, trend)).toBeUndefined();
  expect(crossed({ http_req_failed: [{ threshold: 'rate<0.1', abortOnFail: true }] }, { http_req_failed: failed(0, 0) })).toBeUndefined();
  expect(
    crossed(
      { checks: [{ threshold: 'rate>0.9', abortOnFail: true }] },
      { checks: { kind: 'share', contains: 'default', low: 0, high: 1 } },
    ),
  ).toBeUndefined();
});

test('delayAbortEval: nothing ends before', () => {
  const watch = abortWatch(thresholds({ http_req_failed: [{ threshold: 'rate<0.1', abortOnFail: true, delayAbortEval: '10s' }] }), []);
  expect(watch(look(9, { http_req_failed: failed(50, 100) }))).toBeUndefined();
  expect(watch(look(10, { http_req_failed: failed(50, 100) }))).toBeUndefined();
  expect(watch(look(11, { http_req_failed: failed(50, 100) }))).toMatchObject({
    cause: 'threshold',
    criterion: { name: 'http_req_failed rate', operator: '<', limit: 0.1 },
    actual: { value: 0.5, low: 0.5, high: 0.5 },
    elapsedMs: 11_000,
  });
});

test('a rate per second is only known as well as the seconds are; before every runner has pushed it is not known at all', () => {
  const crossed = (limit: string, span?: LiveLook['seconds']) =>
    abortWatch(thresholds({ http_reqs: [{ threshold: limit, abortOnFail: true }] }), [])(look(2, { http_reqs: requests(100) }, span));
  expect(crossed('rate>60')?.actual).toMatchObject({ low: 50, high: expect.closeTo(57.14, 2) });
  expect(crossed('rate>55')).toBeUndefined();
  expect(
    abortWatch(
      thresholds({ http_reqs: [{ threshold: 'rate>60', abortOnFail: true }] }),
      [],
    )({ ...look(2, { http_reqs: requests(100) }), seconds: undefined, wholeSeconds: undefined }),
  ).toBeUndefined();
});

test('a limit that could not be decided for 5 s is one that the live data cannot tell; a threshold without data is no such', () => {
  const limits = abortLimits(
    thresholds({ won: [{ threshold: 'rate>0.9', abortOnFail: true }], never: [{ threshold: 'rate<0.1', abortOnFail: true }] }),
    [rule({ metric: 'misspelled' }, {})],
  );
  const share = (low: number): LiveTotal => ({ kind: 'share', contains: 'default', low, high: 1 });
  const toldAt = (seconds: number, low: number) => {
    limits.look(look(seconds, { won: share(low) }));
    return limits.neverTold().map(({ metric }) => metric);
  };
  expect([1, 2, 3, 4, 5].map((seconds) => toldAt(seconds, 0.5))).toEqual([[], [], [], [], []]);
  expect(toldAt(6, 0.5)).toEqual(['won', 'misspelled']);
  expect(toldAt(7, 0.95)).toEqual(['misspelled']);
});

test('a rule must hold for its time without a break', () => {
  const crossedAt = (lasting: number, shares: readonly number[]) => {
    const watch = abortWatch({}, [rule({}, { for: lasting })]);
    let [bad, all] = [0, 0];
    const second = (at: number, share: number) => {
      bad += share * 100;
      all += 100;
      return watch(look(at, { http_req_failed: failed(bad, all) }));
    };
    return shares.findIndex((share, at) => second(at + 1, share) !== undefined) + 1;
  };
  expect(crossedAt(3000, [0, 0.5, 0.5, 0, 0, 0, 0.5, 0.5, 0, 0])).toBe(0);
  expect(crossedAt(3000, [0, 0.5, 0.5, 0, 0, 0, 0.5, 0.5, 0.5, 0.5])).toBe(10);
  expect(crossedAt(10_000, [...Array(5).fill(1), ...Array(6).fill(0), ...Array(11).fill(1)])).toBe(22);
});

test('a rule looks at the last seconds: an outage after an hour of health shows, and one that is over is over', () => {
  const watched = rule({});
  const watch = abortWatch({}, [watched]);
  for (let at = 1; at <= 100; at += 1) expect(watch(look(at, { http_req_failed: failed(0, at * 1000) }))).toBeUndefined();
  const crossing = watch(look(101, { http_req_failed: failed(1000, 101_000) }));
  expect(crossing).toEqual({ cause: 'rule', rule: watched, actual: { value: 0.5, low: 0.5, high: 0.5 } });
  for (let at = 102; at <= 105; at += 1) watch(look(at, { http_req_failed: failed(1000, at * 1000) }));
  expect(watch(look(106, { http_req_failed: failed(1000, 106_000) }))).toBeUndefined();
});

test('seconds without data reset the time', () => {
  const watch = abortWatch({}, [rule({}, { for: 8000 })]);
  const bad = (at: number, total: number) => watch(look(at, { http_req_failed: failed(total, total) }));
  for (let at = 1; at <= 4; at += 1) expect(bad(at, at * 10)).toBeUndefined();
  for (let at = 5; at <= 10; at += 1) expect(bad(at, 40)).toBeUndefined();
  for (let at = 11; at <= 18; at += 1) expect(bad(at, 40 + at)).toBeUndefined();
  expect(bad(19, 100)?.cause).toBe('rule');
});

test('a rule counts from after on', () => {
  const watch = abortWatch({}, [rule({}, { for: 2000, after: 10_000 })]);
  const at = Array.from({ length: 20 }, (_, n) => n + 1).find((second) =>
    watch(look(second, { http_req_failed: failed(second * 10, second * 10) })),
  );
  expect(at).toBe(12);
});

test('a rule on a rate per second or a percentile', () => {
  const dead = abortWatch({}, [rule({ name: 'throughput', metric: 'http_reqs', stat: 'rate', operator: '<', limit: 10, unit: '/s' })]);
  for (let at = 1; at <= 10; at += 1) expect(dead(look(at, { http_reqs: requests(at * 100) }))).toBeUndefined();
  const crossed = Array.from({ length: 8 }, (_, n) => n + 11).find((at) => dead(look(at, { http_reqs: requests(1000) })));
  expect(crossed).toBe(12);
  const p95 = abortWatch({}, [rule({ name: 'p95', metric: 'http_req_duration', stat: 'p(95)', operator: '>', limit: 500, unit: 'ms' })]);
  expect(p95(look(1, { http_req_duration: slow(100) }))?.actual).toMatchObject({
    low: expect.closeTo(545, 0),
    high: expect.closeTo(595, 0),
  });
});
