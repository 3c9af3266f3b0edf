import { expect, test } from 'vitest';
import { readExposition } from '../../src/monitors/host/node-exporter.js';
import { spentBetween } from '../../src/monitors/host/processes.js';
import { isSelector } from '../../src/monitors/prometheus.js';
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
  expect(readExposition(text)).toEqual({
    cpuBusy: 45,
    cpuTotal: 245,
    cpuWaiting: 7,
    cpuStolen: 3,
    memoryUsed: 6e9,
    memoryTotal: 8e9,
    load: 0.5,
    cpus: 2,
  });
  expect(readExposition('<html></html>')).toBeUndefined();
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
