import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Criterion } from '../../src/core/criterion.js';
import type { MonitorLine } from '../../src/core/monitors.js';
import { judgeServer, type ServerSide } from '../../src/metrics/servers/judge-server.js';
import { judgedLines } from '../../src/metrics/servers/judged-lines.js';
import { type JudgedMonitor, linesBySource } from '../../src/metrics/servers/monitor.js';
import { countedBy } from '../../src/metrics/servers/series.js';

const every = 100;
const window = { from: 1000, to: 3000 };

const queue: JudgedMonitor = { name: 'jobs', kind: 'queue', every, required: true, gives: ['depth', 'drain'] };
const machine: JudgedMonitor = { name: 'app', kind: 'host', every, required: true, gives: ['cpu', 'memory', 'load'] };

function limit(metric: string, stat: string, more: Partial<Criterion> = {}): Criterion {
  return { name: metric, source: 'server', metric, stat, operator: '<', limit: 1000, unit: '', window: 'steady', ...more };
}

function side(monitors: readonly JudgedMonitor[], lines: readonly MonitorLine[], more: Partial<ServerSide> = {}): ServerSide {
  return { monitors, lines: linesBySource(lines), window, load: window, strict: false, endedEarly: false, ...more };
}

interface Sample {
  readonly t: number;
  readonly value: number;
}

/** Mostly one a tick, sometimes later: what was told at moments in their order. */
const samples = fc
  .array(
    fc.record({
      gap: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 60, max: 120 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 600 }) },
      ),
      value: fc.integer({ min: 0, max: 2000 }),
    }),
    { minLength: 30, maxLength: 60 },
  )
  .map((steps) => {
    let t = 0;
    return steps.map(({ gap, value }): Sample => {
      t += gap;
      return { t, value };
    });
  });

/** What is known at a millisecond: the last sample, while it is younger than two intervals. */
function knownAt(all: readonly Sample[], t: number): number | undefined {
  const last = all.findLast((sample) => sample.t <= t);
  return last !== undefined && t < last.t + 2 * every ? last.value : undefined;
}

/** Every millisecond of the window, one by one. */
function milliseconds(all: readonly Sample[]): (number | undefined)[] {
  return Array.from({ length: window.to - window.from }, (_, index) => knownAt(all, window.from + index));
}

function longestRun(known: readonly (number | undefined)[]): number {
  let [longest, current] = [0, 0];
  for (const value of known) {
    current = value === undefined ? current + 1 : 0;
    longest = Math.max(longest, current);
  }
  return longest;
}

const depth =
  (source: string) =>
  ({ t, value }: Sample): MonitorLine => ({ t, monitor: 'jobs', source, values: { depth: value } });

describe('a gauge over the judged window', () => {
  test('is what counting it millisecond by millisecond comes to', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const evidence = side([queue], all.map(depth('a')));
        const known = milliseconds(all);
        const values = known.filter((value) => value !== undefined);
        const inside = all.filter(({ t }) => t >= window.from && t <= window.to);
        const enough = inside.length >= 3 && values.length >= known.length * 0.8;
        const sorted = [...values].sort((a, b) => a - b);
        const expected = {
          max: Math.max(...values),
          min: Math.min(...values),
          avg: values.reduce((sum, value) => sum + value, 0) / values.length,
          p95: sorted[Math.ceil(sorted.length * 0.95) - 1],
        };
        for (const stat of ['max', 'min', 'avg', 'p95'] as const) {
          const found = judgeServer(limit('queueDepth', stat), evidence);
          if (!enough) expect(found).toMatchObject({ outcome: 'no-data', isFault: true });
          else {
            expect(found.measured?.value).toBeCloseTo(expected[stat] ?? Number.NaN, 6);
            expect(found.outcome).toBe((expected[stat] ?? 0) < 1000 ? 'pass' : 'fail');
            expect(found.monitored).toMatchObject({ monitor: 'jobs', stat, samples: inside.length, longestHoleMs: longestRun(known) });
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test('in several parts is added up where all of them are known', () => {
    fc.assert(
      fc.property(fc.array(samples, { minLength: 2, maxLength: 4 }), (parts) => {
        const lines = parts.flatMap((all, index) => all.map(depth(`shard ${index}`)));
        const known = parts.map(milliseconds);
        const sums = (known[0] ?? []).map((_, at) =>
          known.reduce<number | undefined>((sum, one) => {
            const value = one[at];
            return sum === undefined || value === undefined ? undefined : sum + value;
          }, 0),
        );
        const values = sums.filter((value) => value !== undefined);
        const fewest = Math.min(...parts.map((all) => all.filter(({ t }) => t >= window.from && t <= window.to).length));
        const total = Math.min(...parts.map((all) => all.length));
        const found = judgeServer(limit('queueDepth', 'max'), side([queue], lines));
        if (values.length < sums.length * 0.8 || fewest < 3) expect(total < 3 || found.outcome === 'no-data' || fewest < 3).toBe(true);
        else expect(found.measured?.value).toBe(Math.max(...values));
      }),
      { numRuns: 100 },
    );
  });

  test('with `for` is broken where it was so long without a break', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 50, max: 800 }), (all, lasting) => {
        const known = milliseconds(all);
        const values = known.filter((value) => value !== undefined);
        const found = judgeServer(limit('queueDepth', 'max', { for: lasting }), side([queue], all.map(depth('a'))));
        fc.pre(found.measured !== undefined && values.length > 0);
        let [longest, current] = [0, 0];
        for (const value of known) {
          current = value !== undefined && value >= 1000 ? current + 1 : 0;
          longest = Math.max(longest, current);
        }
        const everyKnown = values.every((value) => value >= 1000);
        // Where nothing ever held, no stretch of that length is needed to know it.
        if (!everyKnown) expect(found.outcome).toBe(longest >= lasting ? 'fail' : 'pass');
      }),
      { numRuns: 100 },
    );
  });
});

describe('a counter', () => {
  test('is last minus first over the window', () => {
    fc.assert(
      fc.property(samples, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 60, maxLength: 60 }), (all, steps) => {
        let [busy, total] = [7000, 90_000];
        const told = all.map(({ t, value }, index) => {
          const step = steps[index] ?? 1;
          total += step;
          busy += Math.min(step, value % 50);
          return { t, busy, total };
        });
        const lines = told.map(
          ({ t, busy: cpuBusy, total: cpuTotal }): MonitorLine => ({ t, monitor: 'app', source: 'a', values: { cpuBusy, cpuTotal } }),
        );
        const found = judgeServer(limit('cpu', 'avg', { limit: 0.8, unit: '%' }), side([machine], lines));
        fc.pre(found.measured !== undefined);
        const inside = told.filter(({ t }) => t >= window.from && t <= window.to);
        const [first, last] = [inside[0], inside.at(-1)];
        if (first === undefined || last === undefined) throw new Error('no sample, and yet a value');
        expect(found.measured?.value).toBeCloseTo((last.busy - first.busy) / (last.total - first.total), 9);
      }),
      { numRuns: 100 },
    );
  });
});

describe('counters that begin anew', () => {
  const redis: JudgedMonitor = { name: 'cache', kind: 'redis', every, required: true, gives: ['cpu', 'evictions', 'ops'] };
  type Step = { readonly grew: number; readonly reset: boolean; readonly other: boolean };
  const steps = fc.array(
    fc.record({
      grew: fc.integer({ min: 0, max: 50 }),
      reset: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      other: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    }),
    { minLength: 40, maxLength: 40 },
  );
  /** Every counter goes from a number of its own on where a server was reset, or where another one answers. */
  const linesOf = (all: readonly Step[], jumps: readonly number[]): MonitorLine[] => {
    let [thread, seconds, evicted, server] = [900, 5000, 10, 1];
    return all.map(({ grew, reset, other }, index) => {
      const jump = jumps[index] ?? 0;
      if (other) [thread, evicted, server] = [jump, jump * 7, server + 1];
      else if (reset) [thread, evicted] = [0, 0];
      thread += grew / 1000;
      seconds += every / 1000;
      evicted += grew;
      const values = { threadSeconds: thread, seconds, evicted, commands: evicted, [countedBy]: server };
      return { t: index * every, monitor: 'cache', source: 'a', values };
    });
  };

  test('are never less than nothing, nor more than all', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(100_000), { minLength: 40, maxLength: 40 }), (all, jumps) => {
        const lines = linesOf(all, jumps);
        const whole = side([redis], lines);
        for (const stat of ['avg', 'max', 'min', 'p95']) {
          const cpu = judgeServer(limit('cpu', stat, { limit: 0.8, unit: '%' }), whole).measured?.value;
          expect(cpu ?? 0).toBeGreaterThanOrEqual(0);
          // No step is more than 50 ms of 100.
          expect(cpu ?? 0).toBeLessThanOrEqual(0.5 + 1e-6);
        }
        const inside = all.slice(11, 31).reduce((sum, { grew }) => sum + grew, 0);
        const evictions = judgeServer(limit('cache.evictions', 'max', { limit: 1 }), whole).measured?.value ?? 0;
        expect(evictions).toBeGreaterThanOrEqual(0);
        expect(evictions).toBeLessThanOrEqual(inside);
        if (!all.some(({ other }) => other) && !all.some(({ reset }) => reset)) expect(evictions).toBe(inside);
      }),
      { numRuns: 200 },
    );
  });

  test('have grown by what they stand at, at least: what was evicted after a reset is not forgotten', () => {
    const all = Array.from({ length: 40 }, (_, index): Step => ({ grew: index === 20 ? 3 : 0, reset: index === 20, other: false }));
    const found = judgeServer(limit('cache.evictions', 'max', { limit: 1 }), side([redis], linesOf(all, [])));
    expect(found).toMatchObject({ outcome: 'fail', measured: { value: 3 } });
  });
});

const steady = (monitor: string, source: string, values: Record<string, number>): MonitorLine[] =>
  Array.from({ length: 40 }, (_, index) => ({ t: index * every, monitor, source, values }));
const cache: JudgedMonitor = { name: 'cache', kind: 'redis', every, required: true, gives: ['memory'] };

test('of several monitors of a word, and of their sources, the worst is judged and named', () => {
  const lines = [
    ...steady('app', 'app-1', { memoryUsed: 3, memoryTotal: 10 }),
    ...steady('app', 'app-2', { memoryUsed: 9, memoryTotal: 10 }),
    ...steady('cache', 'redis', { memoryUsed: 5, memoryMax: 10 }),
  ];
  const found = judgeServer(limit('memory', 'max', { limit: 0.85, unit: '%' }), side([cache, machine], lines));
  expect(found).toMatchObject({ outcome: 'fail', measured: { value: 0.9 }, monitored: { monitor: 'app', source: 'app-2' } });
});

test('no data is a fault of the measurement; not measured where the monitor is not required, which production does not take', () => {
  const optional = { ...machine, required: false };
  const cpu = limit('cpu', 'avg');
  expect(judgeServer(cpu, side([machine], []))).toMatchObject({ outcome: 'no-data', isFault: true });
  const lax = judgeServer(cpu, side([optional], []));
  expect(lax.outcome).toBe('not-measured');
  expect(lax.isFault).toBeUndefined();
  expect(judgeServer(cpu, side([optional], [], { strict: true }))).toMatchObject({ outcome: 'not-measured', isFault: true });
  expect(judgeServer(cpu, side([], [], { strict: true }))).toMatchObject({ outcome: 'not-measured', isFault: true });
  expect(judgeServer(cpu, side([machine], [], { endedEarly: true })).isFault).toBeUndefined();
});

test('a dead source of several is no data, one that left rightly is not', () => {
  const alive = steady('cache', 'one', { memoryUsed: 5, memoryMax: 10 });
  const memory = limit('memory', 'max', { limit: 0.85, unit: '%' });
  const dead = Array.from(
    { length: 40 },
    (_, index): MonitorLine => ({ t: index * every, monitor: 'cache', source: 'two', error: 'dead' }),
  );
  expect(judgeServer(memory, side([cache], [...alive, ...dead]))).toMatchObject({ outcome: 'no-data' });
  const left = [
    ...steady('cache', 'two', { memoryUsed: 5, memoryMax: 10 }).slice(0, 15),
    { t: 1600, monitor: 'cache', source: 'two', gone: true as const },
  ];
  expect(judgeServer(memory, side([cache], [...alive, ...left]))).toMatchObject({ outcome: 'pass' });
});

describe('a source that left rightly', () => {
  const memory = limit('memory', 'max', { limit: 0.85, unit: '%' });
  const pods: JudgedMonitor = { name: 'mesh', kind: 'prometheus', every, required: true, gives: ['memory'] };
  const of = (source: string, from: number, to: number, value = 0.5): MonitorLine[] =>
    steady('mesh', source, { memory: value }).filter(({ t }) => t >= from && t <= to);
  const gone = (source: string, t: number): MonitorLine => ({ t, monitor: 'mesh', source, gone: true });
  const other = of('b', 0, 4000);

  test.each([
    ['and came back is judged for as long as it was there', [...of('a', 0, 1400), gone('a', 1500), ...of('a', 2400, 4000)], 'pass'],
    ['and came back has what it did then', [...of('a', 0, 1400), gone('a', 1500), ...of('a', 2400, 4000, 0.9)], 'fail'],
    ['is judged by what it did before', [...of('a', 0, 1400, 0.9), gone('a', 1500)], 'fail'],
    ['left for another one that holds', [...of('a', 0, 1400), gone('a', 1500), ...of('c', 1700, 4000)], 'pass'],
    ['left for another one that does not', [...of('a', 0, 1400), gone('a', 1500), ...of('c', 1700, 4000, 0.9)], 'fail'],
    ['left, came back and died is no data', [...of('a', 0, 1200), gone('a', 1300), ...of('a', 1500, 1900)], 'no-data'],
    ['that nobody says of is no data', [...of('a', 0, 1400), ...of('a', 2400, 4000)], 'no-data'],
  ])('%s', (_, lines, outcome) => {
    expect(judgeServer(memory, side([pods], [...other, ...lines]))).toMatchObject({ outcome });
    const kept = judgedLines({ criteria: [memory], monitors: [pods] });
    [...other, ...lines].forEach(kept.add);
    expect(judgeServer(memory, { ...side([pods], []), lines: kept.read() })).toMatchObject({ outcome });
  });
});

describe('where not all is known of a limit', () => {
  const optional = { ...cache, required: false };
  const memory = limit('memory', 'max', { limit: 0.85, unit: '%' });
  const app = (used: number) => steady('app', 'app-1', { memoryUsed: used, memoryTotal: 10 });

  test.each([
    ['what need not be measured is said', optional, 5, {}, { outcome: 'pass', missing: expect.stringContaining('monitor cache') }],
    ['... and is a fault under guards: production', optional, 5, { strict: true }, { outcome: 'pass', isFault: true }],
    ['what must be measured is no data', cache, 5, {}, { outcome: 'no-data', isFault: true }],
    ['what the others break is broken all the same', cache, 9, {}, { outcome: 'fail', measured: { value: 0.9 }, isFault: true }],
    ['... and no fault where the load was ended early', cache, 9, { endedEarly: true }, { outcome: 'fail', measured: { value: 0.9 } }],
  ])('%s', (_, other, used, more, expected) => {
    const found = judgeServer(memory, side([machine, other], app(used), more));
    expect(found).toMatchObject(expected);
    if (!('isFault' in expected)) expect(found.isFault).toBeUndefined();
  });

  test('all that is known and need not more leaves nothing to say', () => {
    expect(judgeServer(memory, side([machine], app(5)))).not.toHaveProperty('missing');
  });

  const failed = (at: readonly number[]) => at.map((t): MonitorLine => ({ t, monitor: 'mesh', source: 'prom:9090', error: 'late' }));
  const mesh: JudgedMonitor = { name: 'mesh', kind: 'prometheus', every, required: true, gives: ['value'], as: 'memory', unit: '%' };
  const series = steady('mesh', '{pod="a"}', { value: 0.5 });

  test.each([
    ['once before the window', [500], 'pass'],
    ['now and then', [500, 1200, 2400], 'pass'],
    ['all the time', Array.from({ length: 30 }, (__, index) => index * every), 'no-data'],
  ] as const)('a server that failed %s, whose series are all there', (_, moments, outcome) => {
    expect(judgeServer(memory, side([mesh], [...failed(moments), ...series]))).toMatchObject({ outcome });
  });
});

describe('the time to drain', () => {
  const drain = (most: number) => limit('jobs.drain', 'max', { limit: most, unit: 'ms' });
  const told = (after: (t: number) => number) =>
    Array.from({ length: 80 }, (_, index): MonitorLine => {
      const t = index * every;
      return { t, monitor: 'jobs', source: 'a', values: { depth: t < window.from ? 5 : t < window.to ? 500 : after(t) } };
    });

  test('is until no more wait than before the load', () => {
    const lines = told((t) => (t < 4000 ? 300 : 5));
    expect(judgeServer(drain(2000), side([queue], lines))).toMatchObject({ outcome: 'pass', measured: { value: 1000 } });
    expect(judgeServer(drain(900), side([queue], lines))).toMatchObject({ outcome: 'fail', measured: { value: 1000 } });
  });

  test('fails where it never came to that in its time', () => {
    expect(
      judgeServer(
        drain(2000),
        side(
          [queue],
          told(() => 300),
        ),
      ),
    ).toMatchObject({ outcome: 'fail', monitored: { stat: 'not drained' } });
  });
});

describe('what a source tells in periods', () => {
  const rds: JudgedMonitor = { name: 'rds', kind: 'cloudwatch', every: 60_000, required: true, gives: ['cpu'], periodMs: 60_000 };
  const minuteMs = 60_000;

  test('is judged by the minutes that lie whole within the window, by what was told of each last', () => {
    const told = fc.record({
      from: fc.integer({ min: 0, max: 4 * minuteMs }),
      lengthMs: fc.integer({ min: 0, max: 10 * minuteMs }),
      origin: fc.integer({ min: 1.7e12, max: 1.8e12 }),
      /** What our clock, set a little since, makes of the same minute later. */
      slip: fc.integer({ min: -30, max: 30 }),
      /** For each minute what was told first and last; nothing of some. */
      minutes: fc.array(fc.option(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 })), { freq: 12 }), {
        minLength: 16,
        maxLength: 16,
      }),
    });
    fc.assert(
      fc.property(told, ({ from, lengthMs, origin, slip, minutes }) => {
        const judged = { from, to: from + lengthMs };
        const first = Math.ceil(origin / minuteMs) * minuteMs - minuteMs;
        const line = (index: number, cpu: number, by = 0): MonitorLine => {
          const periodFrom = first + index * minuteMs;
          return { t: periodFrom - origin + by, monitor: 'rds', source: 'shop', values: { cpu: cpu / 100 }, periodFrom };
        };
        const early = minutes.flatMap((pair, index) => (pair === null ? [] : [line(index, pair[0])]));
        const late = minutes.flatMap((pair, index) => (pair === null ? [] : [line(index, pair[1], slip)]));
        const evidence = side([rds], [...early, ...late], { window: judged, load: judged });
        const whole = minutes.flatMap((pair, index) => {
          const t = first + index * minuteMs - origin;
          // What came late is judged from then on.
          const isThere = index >= minutes.findIndex((one) => one !== null);
          return isThere && t >= judged.from && t + minuteMs <= judged.to ? [pair] : [];
        });
        const known = whole.flatMap((pair) => (pair === null ? [] : [pair[1] / 100]));
        for (const stat of ['avg', 'max'] as const) {
          const found = judgeServer(limit('rds.cpu', stat, { unit: '%', limit: 0.5 }), evidence);
          const expected = stat === 'max' ? Math.max(...known) : known.reduce((sum, value) => sum + value, 0) / known.length;
          if (known.length < 3 || known.length < 0.8 * whole.length) expect(found).toMatchObject({ outcome: 'no-data', isFault: true });
          else {
            expect(found.measured?.value).toBeCloseTo(expected, 9);
            expect(found.monitored).toMatchObject({ samples: known.length, source: 'shop' });
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** A look of any kind: with values, some of them missing, or without; late, of a period, or the last of a source that left. */
const anyLook = fc.record(
  {
    t: fc.integer({ min: 0, max: 4000 }),
    monitor: fc.constantFrom('jobs', 'app'),
    source: fc.constantFrom('a', '__proto__', 'b'),
    values: fc.record(
      { depth: fc.nat(2000), cpuBusy: fc.nat(90), cpuTotal: fc.integer({ min: 90, max: 200 }), other: fc.nat() },
      { requiredKeys: [] },
    ),
    error: fc.constant('gone'),
    everyMs: fc.integer({ min: 100, max: 900 }),
    gone: fc.constant(true as const),
  },
  { requiredKeys: ['t', 'monitor', 'source'] },
);

test('what is kept of lines is judged like the lines themselves', () => {
  const criteria = [limit('jobs.depth', 'p95'), limit('cpu', 'avg', { limit: 0.5, unit: '%' }), limit('jobs.drain', 'max')];
  fc.assert(
    fc.property(fc.array(anyLook, { maxLength: 60 }), (looks) => {
      const lines = looks.sort((a, b) => a.t - b.t);
      const whole = side([queue, machine], lines);
      const kept = judgedLines({ criteria, monitors: [queue, machine] });
      lines.forEach(kept.add);
      const judged = (of: ServerSide) => criteria.map((criterion) => judgeServer(criterion, of));
      expect(judged({ ...whole, lines: kept.read() })).toEqual(judged(whole));
    }),
    { numRuns: 300 },
  );
});

test('days of samples are judged, whatever the statistic', () => {
  const lines = Array.from({ length: 200_000 }, (_, t) => ({ t, monitor: 'jobs', source: 'a', values: { depth: t % 997 } }));
  const long = { from: 0, to: 200_000 };
  const of = side([{ ...queue, every: 1 }], lines, { window: long, load: long });
  const judged = (stat: string, more: Partial<Criterion> = {}) => judgeServer(limit('jobs.depth', stat, more), of).measured?.value;
  expect([judged('max'), judged('min'), judged('max', { for: 60 })]).toEqual([996, 0, 937]);
});
