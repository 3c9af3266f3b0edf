import { describe, expect, test } from 'vitest';
import { type RunnerId, runnerId } from '../../src/core/ids.js';
import { chiSquareTail } from '../../src/metrics/chi-square.js';
import { type Choice, choiceFaults, choiceThresholds } from '../../src/metrics/choices.js';
import { crowdedMachines, diedWithoutMemory, type GeneratorSample, generatorFaults } from '../../src/metrics/generators.js';
import { type PlannedShare, shortfalls } from '../../src/metrics/shortfall.js';
import type { Summary, SummaryMetric } from '../../src/metrics/summary.js';
import { readLinuxVitals, sampleBetween } from '../../src/runners/runner/vitals.js';
import { runId } from '../support/ids.js';

const minute = { from: 0, to: 60_000 };

/** One sample a second; `busy` seconds from the beginning are what `while` says. */
function seconds(runner: RunnerId, busy: number, during: Partial<GeneratorSample>, host = `host-${runner}`): GeneratorSample[] {
  return Array.from({ length: 60 }, (_, second) => ({
    t: (second + 1) * 1000,
    runner,
    host,
    overMs: 1000,
    processCpu: 0.2,
    processMemory: 1e8,
    cpus: 4,
    machineCpu: 0.3,
    memory: 8e9,
    freeMemory: 6e9,
    ...(second < busy ? during : {}),
  }));
}

describe('the generators’ machines', () => {
  const full = { machineCpu: 0.97, processCpu: 3 };
  test.each<[name: string, samples: GeneratorSample[], faults: string[]]>([
    ['at ease', seconds(runnerId(2), 0, {}), []],
    [
      'full, by the generator',
      seconds(runnerId(2), 41, full),
      ["Runner 2's machine was above 90% CPU for 41 s of 60 s, k6 itself using 75%: use more machines or fewer VUs."],
    ],
    ['full for a blip', seconds(runnerId(2), 5, full), []],
    ['full, by others', seconds(runnerId(2), 41, { machineCpu: 0.97, processCpu: 0.4 }), []],
    [
      'shared by two runners that fill it together',
      [
        ...seconds(runnerId(1), 20, { machineCpu: 0.95, processCpu: 0.6 }, 'h'),
        ...seconds(runnerId(2), 20, { machineCpu: 0.95, processCpu: 0.6 }, 'h'),
      ],
      ['The machine of runners 1 and 2 was above 90% CPU for 20 s of 60 s, k6 itself using 30%: use more machines or fewer VUs.'],
    ],
    [
      'a container with less CPU than its machine',
      seconds(runnerId(2), 30, { processCpu: 0.96, cpuLimit: 1 }),
      ['Runner 2 used more than 90% of the CPU that its container may use for 30 s of 60 s: give it more CPU, or use more runners.'],
    ],
    [
      'without memory',
      seconds(runnerId(2), 10, { freeMemory: 1e8, processMemory: 6e9 }),
      ["Runner 2's machine had less than 5% of its memory free for 10 s of 60 s, k6 itself holding 75%: use more machines or fewer VUs."],
    ],
    ['without memory, by others', seconds(runnerId(2), 10, { freeMemory: 1e8 }), []],
    ['throttled for 1% of the time', seconds(runnerId(2), 6, { throttledMs: 100 }), []],
    [
      'throttled for more than 1%',
      seconds(runnerId(2), 7, { throttledMs: 100 }),
      ['Runner 2 was throttled by the CPU limit of its container for 0.7 s of 60 s: raise that limit, or take it away.'],
    ],
  ])('%s', (_, samples, faults) => {
    expect(generatorFaults(samples, minute)).toEqual(faults);
  });

  test('what lies outside of the judged window does not count', () => {
    expect(generatorFaults(seconds(runnerId(2), 20, full), { from: 20_000, to: 60_000 })).toEqual([]);
    expect(generatorFaults(seconds(runnerId(2), 20, full), { from: 17_000, to: 60_000 })).toEqual([]);
    expect(generatorFaults(seconds(runnerId(2), 20, full), { from: 10_000, to: 40_000 })).toEqual([
      "Runner 2's machine was above 90% CPU for 10 s of 30 s, k6 itself using 75%: use more machines or fewer VUs.",
    ]);
  });

  test('three seconds of a short test are the least', () => {
    expect(generatorFaults(seconds(runnerId(2), 2, full), { from: 0, to: 4000 })).toEqual([]);
    expect(generatorFaults(seconds(runnerId(2), 3, full), { from: 0, to: 4000 })).toHaveLength(1);
  });

  test('a machine that others keep busy is told of', () => {
    const [said] = crowdedMachines(seconds(runnerId(2), 41, { machineCpu: 0.97, processCpu: 0.4 }), minute);
    expect(said).toEqual({ host: expect.any(String), runners: ['2'], forMs: 41_000, ofMs: 60_000, k6: expect.closeTo(0.1, 6) });
    expect(crowdedMachines(seconds(runnerId(2), 41, full), minute)).toEqual([]);
  });

  test('a runner whose machine had no memory left at last', () => {
    expect(diedWithoutMemory(seconds(runnerId(2), 60, { freeMemory: 1e8 }), runnerId(2))).toBe(true);
    expect(diedWithoutMemory(seconds(runnerId(2), 30, { freeMemory: 1e8 }), runnerId(2))).toBe(false);
    expect(diedWithoutMemory([], runnerId(2))).toBe(false);
  });
});

test.each([
  [10.828, 1, 0.001],
  [13.816, 2, 0.001],
  [16.266, 3, 0.001],
  [3.841, 1, 0.05],
  [9.488, 4, 0.05],
  [29.588, 10, 0.001],
  [4.35146, 5, 0.5],
  [0, 3, 1],
  [Number.POSITIVE_INFINITY, 3, 0],
])('chi-square of %d with %d degrees of freedom: %d', (value, degrees, probability) => {
  expect(chiSquareTail(value, degrees)).toBeCloseTo(probability, 4);
});

const counter = (count: number): SummaryMetric => ({ type: 'counter', contains: 'default', values: { count }, bounds: {} });
const summary = (metrics: Record<string, SummaryMetric>): Summary => ({
  version: 1,
  run: runId('r'),
  k6Version: 'v2.2.0',
  durationMs: 60_000,
  runners: 2,
  metrics,
  rootGroup: { name: '', path: '', id: '', groups: [], checks: [] },
});

describe('choices', () => {
  const choice: Choice = { counter: 'session_choices', tag: 'session', shares: { browse: 0.8, reserve: 0.15, pay: 0.05 } };
  const drawn = (browse: number, reserve: number, pay: number, more = 0) =>
    choiceFaults(
      [choice],
      summary({
        session_choices: counter(browse + reserve + pay + more),
        ...Object.fromEntries(
          Object.keys(choiceThresholds([choice])).map((key, index) => [key, counter([browse, reserve, pay][index] ?? 0)]),
        ),
      }),
    );

  test.each<[name: string, faults: string[], off: string[]]>([
    ['as asked for', drawn(8000, 1500, 500), []],
    ['as chance has it', drawn(8040, 1470, 490), []],
    ['certainly off, by less than half a point', drawn(8_040_000, 1_480_000, 480_000), []],
    ['off by far, of so few that chance explains it', drawn(7, 3, 0), []],
    ['nothing drawn', drawn(0, 0, 0), []],
  ])('%s', (_, faults, off) => expect(faults).toEqual(off));

  test('off the mix, in words', () => {
    expect(drawn(7000, 2000, 1000)).toEqual([
      'The script drew session browse for 70% of 10,000 session_choices, the profile asks for 80%: this is not the load that was planned. Fix how the script draws its choices.',
    ]);
    expect(drawn(7200, 1350, 450, 1000)[0]).toContain('drew session others for 10% of 10,000 session_choices, the profile asks for 0%');
  });
});

describe('what is missing of the load', () => {
  const open: PlannedShare = { vus: 10, open: true, perSecond: 100, windowMs: 60_000 };
  const closed: PlannedShare = { vus: 100, open: false, perSecond: 100, windowMs: 50_000 };
  const vus = (max: number): SummaryMetric => ({ type: 'gauge', contains: 'default', values: { value: max, min: 1, max }, bounds: {} });
  const made = (count: number, more: Record<string, SummaryMetric> = {}) =>
    summary({ iterations: counter(count), 'iterations{part:steady}': counter(count), ...more });
  const said = (planned: PlannedShare | undefined, of: Summary) => shortfalls(planned, of).map(({ what }) => what);

  test.each<[name: string, found: string[], missing: string[]]>([
    ['nothing', said(open, made(6000)), []],
    ['a few dropped', said(open, made(5950, { dropped_iterations: counter(50) })), []],
    [
      'many dropped',
      said(open, made(4800, { dropped_iterations: counter(1200) })),
      ['1,200 of 6,000 iterations (20%) were never begun (dropped_iterations)'],
    ],
    [
      'dropped by a load of the script’s own',
      said(undefined, made(90, { dropped_iterations: counter(10) })),
      ['10 of 100 iterations (10%) were never begun (dropped_iterations)'],
    ],
    ['under the rate', said(open, made(5000)), ['83.3/s of the planned 100/s iterations were made']],
    ['an iteration a VU at the edges', said({ ...closed, windowMs: 2000 }, made(100)), []],
    ['VUs that pace too slowly', said(closed, made(4000)), ['80/s of the planned 100/s iterations were made']],
    ['VUs that do not pace', said({ ...closed, perSecond: undefined }, made(4000)), []],
    ['fewer VUs', said(closed, made(5000, { vus: vus(80) })), ['80 of the planned 100 VUs were there']],
    ['all VUs', said(closed, made(5000, { vus: vus(100) })), []],
    ['idle VUs of an open model', said(open, made(6000, { vus: vus(3) })), []],
  ])('%s', (_, found, missing) => expect(found).toEqual(missing));
});

describe('what Linux tells of a process', () => {
  const fields = (user: number, system: number, pages: number) =>
    `7 (k6 (x) y) S ${[1, 2, 3, 0, -1, 4, 5, 6, 7, 8, user, system, 0, 0, 20, 0, 9, 0, 100, 999, pages].join(' ')}`;
  const texts = (user: number, idle: number, all = 100) => ({
    process: fields(user, 10, 25_000),
    machine: `cpu  ${all} 0 50 ${idle} 20 0 5 25 0 0\ncpu0 50 0 25 1 1 0 1 1 0 0\ncpu1 50 0 25 1 1 0 1 1 0 0\nintr 1`,
    memory: 'MemTotal:        8000000 kB\nMemFree:          100 kB\nMemAvailable:    2000000 kB\n',
  });

  test('CPU, memory, and what a control group leaves of them', () => {
    expect(readLinuxVitals(texts(40, 800))).toEqual({
      processMs: 500,
      processState: 'S',
      processMemory: 102_400_000,
      cpus: 2,
      busyMs: 1800,
      wholeMs: 10_000,
      memory: 8_192_000_000,
      freeMemory: 2_048_000_000,
    });
    const limited = { ...texts(40, 800), cpuMax: '50000 100000\n', memoryMax: '1000000000\n', memoryCurrent: '900000000\n' };
    expect(readLinuxVitals(limited)).toMatchObject({ cpuLimit: 0.5, memory: 1e9, freeMemory: 1e8 });
    const unlimited = { ...texts(40, 800), cpuMax: 'max 100000\n', memoryMax: 'max\n', memoryCurrent: '900000000\n' };
    expect(readLinuxVitals(unlimited)).toEqual(readLinuxVitals(texts(40, 800)));
    expect(readLinuxVitals({ ...texts(40, 800), process: '' })).toBeUndefined();
  });

  test.each([
    ['version 2', 'anon 1\nfile 700000000\nshmem 0\ninactive_file 500000000\nactive_file 100000000\n'],
    [
      'version 1, which counts the groups below apart',
      'inactive_file 1\nactive_file 2\ntotal_inactive_file 500000000\ntotal_active_file 100000000\n',
    ],
  ])('pages of files are not used memory (%s)', (_, memoryStat) => {
    const limited = { ...texts(40, 800), memoryMax: '1000000000\n', memoryCurrent: '900000000\n', memoryStat };
    expect(readLinuxVitals(limited)).toMatchObject({ memory: 1e9, freeMemory: 7e8 });
  });

  test.each([
    ['version 2', 'throttled_usec 2500000\n'],
    ['version 2, whole', 'usage_usec 1\nnr_periods 90\nnr_throttled 30\nthrottled_usec 2500000\n'],
    ['version 1', 'nr_periods 90\nnr_throttled 30\nthrottled_time 2500000000\n'],
  ])('how long a limit kept it off the CPUs (%s)', (_, cpuStat) => {
    expect(readLinuxVitals({ ...texts(40, 800), cpuStat })?.throttledMs).toBe(2500);
  });

  test('throttled between two looks', () => {
    const look = (t: number, idle: number, usec: number) => {
      const vitals = readLinuxVitals({ ...texts(40, idle), cpuStat: `throttled_usec ${usec}\n` });
      if (vitals === undefined) throw new Error('unreadable');
      return { t, vitals };
    };
    const runner = { id: runnerId(1), host: 'h' };
    expect(sampleBetween(runner, look(0, 800, 1_000_000), look(1000, 900, 1_250_000))?.throttledMs).toBe(250);
    expect(sampleBetween(runner, look(0, 800, 1_000_000), look(1000, 900, 1_000_000))).not.toHaveProperty('throttledMs');
  });

  test('a group of version 1 without a limit has none', () => {
    const unlimited = { ...texts(40, 800), cpuMax: '-1 100000', memoryMax: '9223372036854771712\n', memoryCurrent: '1\n' };
    expect(readLinuxVitals(unlimited)).toEqual(readLinuxVitals(texts(40, 800)));
  });

  test('pages may be larger than usual', () => {
    expect(readLinuxVitals({ ...texts(40, 800), pageBytes: 65_536 })?.processMemory).toBe(25_000 * 65_536);
  });

  test('what was used between two looks', () => {
    const look = (t: number, user: number, idle: number, all: number) => {
      const vitals = readLinuxVitals(texts(user, idle, all));
      if (vitals === undefined) throw new Error('unreadable');
      return { t, vitals };
    };
    const [before, now] = [look(0, 40, 800, 100), look(1000, 190, 850, 250)];
    expect(sampleBetween({ id: runnerId(1), host: 'h' }, before, now)).toEqual({
      t: 1000,
      runner: '1',
      host: 'h',
      overMs: 1000,
      processCpu: 1.5,
      processMemory: 102_400_000,
      cpus: 2,
      machineCpu: 0.75,
      memory: 8_192_000_000,
      freeMemory: 2_048_000_000,
    });
    expect(sampleBetween({ id: runnerId(1), host: 'h' }, before, before)).toBeUndefined();
  });
});
