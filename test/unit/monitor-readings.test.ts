import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CpuTimes, cpuCounter } from '../../src/monitors/host/cpu-time.js';
import { cpuTimes } from '../../src/monitors/host/files.js';
import { readExposition } from '../../src/monitors/host/node-exporter.js';
import { spentBetween } from '../../src/monitors/host/processes.js';
import { isSelector } from '../../src/monitors/prometheus/index.js';
import { secondsPassed } from '../../src/monitors/redis.js';
import { longestRange } from '../../src/profile/sections/judged-monitors.js';

test.each([
  ['up', true],
  ['app:queue_depth{job="a,}b", host=~\'x.*\'}', true],
  ['up > 0', false],
  ['sum(up)', false],
  ['rate(up[1m])', false],
  ['up offset 5m', false],
  ['1', false],
])('%s has samples with a time of their own: %s', (query, expected) => {
  expect(isSelector(query)).toBe(expected);
});

test.each([
  ['up', 0],
  ['sum(rate(a[1m])) / sum(rate(b[5m]))', 300_000],
  ['max_over_time(a[1h30m:15s])', 5_400_000],
  ['a{label="[9h]"}', 0],
])('%s looks back %i ms', (query, expected) => {
  expect(longestRange(query)).toBe(expected);
});

test('CPU of a node_exporter is what is neither idle nor iowait nor steal, over all CPUs', () => {
  const text = `# HELP node_cpu_seconds_total Seconds
node_cpu_seconds_total{cpu="0",mode="idle"} 100
node_cpu_seconds_total{cpu="0",mode="user"} 30
node_cpu_seconds_total{cpu="0",mode="iowait"} 7
node_cpu_seconds_total{cpu="1",mode="idle"} 90
node_cpu_seconds_total{cpu="1",mode="system"} 1.5e1
node_cpu_seconds_total{cpu="1",mode="steal"} 3
node_load1 0.5
node_memory_MemAvailable_bytes 2e+09
node_memory_MemTotal_bytes 8e+09
`;
  const { cpus, gauges } = readExposition(text) ?? {};
  expect(cpus).toEqual(
    new Map([
      ['0', { busy: 30, idle: 100, waiting: 7 }],
      ['1', { busy: 15, idle: 90, stolen: 3 }],
    ]),
  );
  expect(gauges).toEqual({ memoryUsed: 6e9, memoryTotal: 8e9, load: 0.5 });
  expect(readExposition('<html></html>')).toBeUndefined();
  // Without its collector the load is not 0.
  expect(readExposition(text.replace(/node_load1.*\n/, ''))?.gauges.load).toBeUndefined();
});

test('a page of a node_exporter that breaks off is none, wherever that is: half a number is another number', () => {
  const text = `node_cpu_seconds_total{cpu="0",mode="idle"} 100
node_memory_MemAvailable_bytes 2e+09
node_memory_MemTotal_bytes 8.25e+09
`;
  for (let length = 0; length < text.length; length += 1) expect(readExposition(text.slice(0, length)), `${length}`).toBeUndefined();
  expect(readExposition(text)).toMatchObject({ gauges: { memoryTotal: 8.25e9 } });
});

const process = (pid: number, own: number, buried = 0) => ({ pid, own, all: own + buried });

test.each([
  ['what each of them used', [process(1, 10), process(2, 3)], [process(1, 12), process(2, 4)], 3],
  ['one that came', [process(1, 10)], [process(1, 10), process(7, 2)], 2],
  ['one that came and went', [process(1, 10)], [process(1, 10, 4)], 4],
  ['the last of one that went', [process(1, 10), process(2, 3)], [process(1, 10, 5)], 2],
  ['one that nobody buried', [process(1, 10), process(2, 3)], [process(1, 11)], 1],
  ['another service in its place', [process(1, 10, 50)], [process(9, 2)], 2],
])('CPU between two looks: %s', (_, before, after, seconds) => {
  expect(spentBetween(before, after)).toBe(seconds);
});

test.each([
  ['as it goes', [100, 101, 102, 103], 3],
  ['set an hour on', [100, 101, 3702, 3703], 3],
  ['set an hour back', [4000, 4001, 402, 403], 3],
  ['of a Redis that does not tell it', [undefined, undefined, undefined, undefined], 3],
])('the seconds of a busy thread are those that passed, whatever its clock was set to: %s', (_, theirs, seconds) => {
  let now = 0;
  const passed = secondsPassed({ elapsed: () => now });
  const sums = theirs.map((told, second) => {
    now = 5000 + second * 1000;
    return passed('a', told);
  });
  expect((sums.at(-1) ?? 0) - (sums[0] ?? 0)).toBe(seconds);
});

/** A machine over time: what of each second a CPU that is on is busy, and what becomes of it and of the machine before that second. */
const seconds = fc.array(
  fc.record({
    busy: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
    switched: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 3 }),
    /** The kernel takes some iowait back. */
    takenBack: fc.boolean(),
    restarted: fc.boolean(),
    /** The same name leads to another machine, whose counters stand elsewhere. */
    moved: fc.option(fc.integer({ min: 1000, max: 100_000 }), { freq: 6 }),
  }),
  { minLength: 2, maxLength: 30 },
);

test('CPU is between none and all of it, whatever CPUs come and go, and whoever counts anew: by what all those used that stayed', () => {
  fc.assert(
    fc.property(seconds, (all) => {
      let now = 0;
      const counted = cpuCounter({ elapsed: () => now });
      const cpus = new Map([0, 1].map((cpu) => [String(cpu), { busy: 5000 + cpu, idle: 90_000, waiting: 40 }]));
      const kept = new Map(cpus);
      let told = counted(new Map(cpus));
      let [expectedBusy, expectedTotal] = [0, 0];
      for (const { busy, switched, takenBack, restarted, moved } of all) {
        now += 1000;
        const stays = new Set(restarted || moved !== null ? [] : cpus.keys());
        if (switched !== null) {
          const name = String(switched);
          stays.delete(name);
          // One that is switched on goes on from where it stood when it was switched off.
          if (cpus.size > 1 && cpus.delete(name)) kept.set(name, kept.get(name) ?? { busy: 0, idle: 0, waiting: 0 });
          else cpus.set(name, { ...(kept.get(name) ?? { busy: 0, idle: 0, waiting: 0 }), busy: (kept.get(name)?.busy ?? 0) + 700 });
        }
        for (const [name, times] of cpus) {
          const share = busy[Number(name)] ?? 0;
          const base = restarted ? { busy: 0, idle: 0, waiting: 0 } : times;
          const jump = restarted ? 0 : (moved ?? 0);
          const next = {
            busy: base.busy + jump + share,
            idle: base.idle + jump + (1 - share),
            waiting: Math.max(0, base.waiting - (takenBack ? 3 : 0)),
          };
          cpus.set(name, next);
          kept.set(name, next);
          if (stays.has(name)) {
            expectedBusy += share;
            expectedTotal += 1;
          }
        }
        const before = told;
        told = counted(new Map(cpus));
        const [used, time] = [(told.cpuBusy ?? 0) - (before.cpuBusy ?? 0), (told.cpuTotal ?? 0) - (before.cpuTotal ?? 0)];
        expect(used).toBeGreaterThanOrEqual(-1e-6);
        expect(used).toBeLessThanOrEqual(time + 1e-6);
      }
      expect(told.cpuBusy).toBeCloseTo(expectedBusy, 4);
      expect(told.cpuTotal).toBeCloseTo(expectedTotal, 4);
    }),
    { numRuns: 200 },
  );
});

test('what a system does not count is no share of it: no iowait of 0 where there is none', () => {
  const counted = cpuCounter({ elapsed: () => 0 });
  const mac: ReadonlyMap<string, CpuTimes> = new Map([['0', { busy: 1, idle: 2 }]]);
  counted(mac);
  expect(Object.keys(counted(mac)).sort()).toEqual(['cpuBusy', 'cpuTotal', 'cpus']);
});

test('each CPU of /proc/stat is read by itself; their sum and half a line are left out', () => {
  const stat = `cpu  30 0 10 900 20 3 2 5 0 0
cpu0 20 0 5 450 10 3 2 5 0 0
cpu3 10 0 5 450 10 0 0 0 9 9
cpu4 10 0 5
intr 1 2 3
`;
  expect(cpuTimes(stat)).toEqual(
    new Map([
      ['cpu0', { busy: 0.3, idle: 4.5, waiting: 0.1, stolen: 0.05 }],
      ['cpu3', { busy: 0.15, idle: 4.5, waiting: 0.1, stolen: 0 }],
    ]),
  );
  expect(cpuTimes('cpu  30 0 10 900 20 3 2 5 0 0\n')).toBeUndefined();
});
