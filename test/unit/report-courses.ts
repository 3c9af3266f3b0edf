import { runnerId } from '../../src/core/ids.js';
import type { FleetLine } from '../../src/metrics/fleet-second.js';
import type { HistogramLine, WrittenHistogram, WrittenLatency } from '../../src/metrics/histogram-lines.js';
import type { Course } from '../../src/reports/result/course.js';
import { latencyFold } from '../../src/reports/result/latency.js';
import { machineFold } from '../../src/reports/result/machines.js';
import { secondFold } from '../../src/reports/result/seconds.js';

/** A load that is made up: so long, of requests of these names. */
export interface MadeUp {
  readonly seconds: number;
  readonly names: readonly string[];
  /** The second in which there is a peak. */
  readonly peakAt?: number;
}

/** What a peak is. */
export const peak = 9999;

/** A line of timeseries.ndjson for each second. */
export function* madeUpSeconds({ seconds, peakAt }: MadeUp): Generator<FleetLine> {
  for (let second = 1; second <= seconds; second += 1) {
    const p50 = 20 + 10 * Math.sin(second / 60) + (second % 7);
    const bounded = (value: number) => ({ value, low: value * 0.96, high: value * 1.04 });
    yield {
      elapsedMs: second * 1000,
      totalMs: seconds * 1000,
      vus: Math.min(50, second),
      requests: second * 100,
      requestsPerSecond: second === peakAt ? peak : 100 + (second % 13),
      failedRequests: Math.floor(second / 10),
      iterations: second * 10,
      runnersReporting: 2,
      latency: { p50: bounded(p50), p95: bounded(p50 * 3), p99: bounded(p50 * 7) },
      endpoints: {},
      scenarios: {},
      ...(second % 10 === 0 ? { failedBy: { 503: 1 } } : {}),
    };
  }
}

/** A line of histograms.ndjson for every 10 s. */
export function* madeUpStretches({ seconds, names }: MadeUp): Generator<HistogramLine> {
  const each = names.map((name, index) => [name, latency(index, 20)] as const);
  for (let from = 0; from < seconds; from += 10) {
    const toMs = Math.min(seconds, from + 10) * 1000;
    yield { fromMs: from * 1000, toMs, ...latency(from % 70, 1000), endpoints: Object.fromEntries(each) };
  }
}

/** Spread over some twenty buckets. */
function latency(seed: number, count: number): WrittenLatency {
  const shares = Array.from({ length: 20 }, (_, index) => [String(-50 + (seed % 9) + index), Math.ceil(count / (index + 2))] as const);
  const sum = shares.reduce((total, [, share]) => total + share, 0);
  const all: WrittenHistogram = { count: sum, sum: sum * 30, buckets: Object.fromEntries(shares) };
  const [first = ['', 0] as const, ...rest] = shares;
  const expected = { count: sum - first[1], sum: sum * 28, buckets: Object.fromEntries(rest) };
  return { all, expected };
}

/** The course that loadctl makes of it. */
export function madeUpCourse(load: MadeUp): Course {
  const endMs = load.seconds * 1000;
  const [seconds, latencies, machines] = [
    secondFold(),
    latencyFold(load.names, { from: 0, to: endMs }),
    machineFold({ from: 0, to: endMs }),
  ];
  for (const line of madeUpSeconds(load)) seconds.add(line);
  for (const line of madeUpStretches(load)) latencies.add(line);
  for (let second = 1; second <= load.seconds; second += 1) {
    const vitals = { processCpu: 0.5, processMemory: 1e8, cpus: 4, machineCpu: 0.4, memory: 8e9, freeMemory: 4e9 };
    machines.add({ t: second * 1000, overMs: 1000, runner: runnerId(1), host: 'gen-1', ...vitals });
  }
  return {
    story: [],
    runners: [],
    endMs,
    marks: [{ kind: 'breach', from: endMs * 0.4, to: endMs * 0.5, text: 'p95 < 500 ms holds again' }],
    seconds: seconds.read(),
    latency: latencies.read(),
    machines: machines.read(),
    servers: [],
  };
}
