import type { EndpointSample, LiveLatency, LoadctlEvent, RecentSample } from '../core/events.js';
import type { LiveValue, Milliseconds } from '../core/quantities.js';
import { readStat } from './evaluate.js';
import type { LiveNumbers } from './live-numbers.js';
import { type LiveTotal, readTotal, type Span, totalSince } from './live-total.js';
import type { Picks } from './series.js';

/** As many endpoints as a sample holds; a line has them all. */
const sampledEndpoints = 30;
const noSpan: Span = { low: 0, high: 0 };

/** Requests of the whole fleet, of an endpoint, or of a scenario. */
interface Totals {
  readonly requests?: LiveTotal | undefined;
  readonly failed?: LiveTotal | undefined;
  readonly duration?: LiveTotal | undefined;
}

/** What the fleet had done by a moment of the load, since its start. */
export interface FleetTotals {
  readonly elapsedMs: Milliseconds;
  readonly whole: Totals;
  readonly endpoints: ReadonlyMap<string, Totals>;
  readonly scenarios: ReadonlyMap<string, Totals>;
  /** `http_req_failed` by status. */
  readonly byStatus: ReadonlyMap<string, LiveTotal>;
  readonly vus: number;
  readonly iterations: number;
}

/** What a second of a load is shown and kept with besides its numbers. */
export interface SecondOf {
  readonly totalMs: Milliseconds;
  readonly runnersReporting: number;
  /** What the fleet had done when the last seconds began; without it nothing is told of them. */
  readonly recentFrom?: FleetTotals;
}

/** The event of a second: counts and latency since the start. */
export type FleetSample = Extract<LoadctlEvent, { type: 'fleet-sampled' }>;

/** A line of timeseries.ndjson, but for its wall clock: the fleet's counts since the start, what is split up since the line before. */
export interface FleetLine extends Omit<FleetSample, 'type' | 'endpoints' | 'endpointsInAll' | 'second' | 'recent' | 'scenarios'> {
  readonly endpoints: Readonly<Record<string, PartOfSecond>>;
  readonly scenarios: Readonly<Record<string, PartOfSecond>>;
  /** Failed requests since the line before, by their status (0: no answer); missing where none failed, or the script switched that tag off. */
  readonly failedBy?: Readonly<Record<string, number>>;
}

interface PartOfSecond {
  readonly requests: number;
  readonly failedRequests: number;
  readonly latency?: LiveLatency;
}

/** A load that begins. */
export const nothingYet: FleetTotals = {
  elapsedMs: 0,
  whole: {},
  endpoints: new Map(),
  scenarios: new Map(),
  byStatus: new Map(),
  vus: 0,
  iterations: 0,
};

/** Reads what the fleet has done by now; its latency is of the requests that `picks` lets through. */
export function fleetTotals(numbers: LiveNumbers, elapsedMs: Milliseconds, picks?: Picks): FleetTotals {
  const duration = numbers.total('http_req_duration', picks);
  return {
    elapsedMs,
    whole: { requests: numbers.total('http_reqs'), failed: numbers.total('http_req_failed'), duration },
    endpoints: totalsBy('name', numbers),
    scenarios: totalsBy('scenario', numbers),
    byStatus: numbers.totalsBy('status', 'http_req_failed'),
    vus: Math.round(gaugeOf(numbers.total('vus'))),
    iterations: countOf(numbers.total('iterations')),
  };
}

function totalsBy(tag: string, numbers: LiveNumbers): Map<string, Totals> {
  const [failed, duration] = [numbers.totalsBy(tag, 'http_req_failed'), numbers.totalsBy(tag, 'http_req_duration')];
  const requests = [...numbers.totalsBy(tag, 'http_reqs')];
  return new Map(requests.map(([name, counted]) => [name, { requests: counted, failed: failed.get(name), duration: duration.get(name) }]));
}

/** The second from `before` to `now`, as it is shown and as it is kept. */
export function fleetSecond(now: FleetTotals, before: FleetTotals, second: SecondOf): { sample: FleetSample; line: FleetLine } {
  const seconds = Math.max(0.001, (now.elapsedMs - before.elapsedMs) / 1000);
  const fleet = {
    elapsedMs: now.elapsedMs,
    totalMs: second.totalMs,
    vus: now.vus,
    requests: countOf(now.whole.requests),
    requestsPerSecond: (countOf(now.whole.requests) - countOf(before.whole.requests)) / seconds,
    failedRequests: passesOf(now.whole.failed),
    iterations: now.iterations,
    runnersReporting: second.runnersReporting,
  };
  const latency = latencyOf(totalSinceOrNone(now.whole.duration, before.whole.duration));
  const { recentFrom } = second;
  return {
    sample: {
      type: 'fleet-sampled',
      ...fleet,
      ...latencyOf(now.whole.duration),
      endpoints: endpointsOf(now.endpoints, before.endpoints, { seconds, recentFrom: recentFrom?.endpoints }),
      endpointsInAll: now.endpoints.size,
      ...(recentFrom === undefined ? {} : recentlyOf(now, recentFrom, latency)),
    },
    line: {
      ...fleet,
      ...latency,
      endpoints: partsOf(now.endpoints, before.endpoints),
      scenarios: partsOf(now.scenarios, before.scenarios),
      ...failedSince(now, before),
    },
  };
}

/** What is needed later of the fleet's totals to tell what came since: of the endpoints, those that may be shown by then. */
export function remembered(totals: FleetTotals): FleetTotals {
  const busiest = [...totals.endpoints].sort(([, a], [, b]) => countOf(b.requests) - countOf(a.requests)).slice(0, 2 * sampledEndpoints);
  // One that is not here began later, as long as there were no more.
  return totals.endpoints.size <= busiest.length ? totals : { ...totals, endpoints: new Map(busiest) };
}

function recentlyOf(now: FleetTotals, from: FleetTotals, { latency }: { latency?: LiveLatency }): Partial<FleetSample> {
  const scenarios = now.scenarios.size < 2 ? [] : [...now.scenarios].slice(0, sampledEndpoints);
  return {
    ...(latency === undefined ? {} : { second: percentilesIn(latency) }),
    recent: { ...recentOf(now.whole, from.whole), overMs: now.elapsedMs - from.elapsedMs },
    ...(scenarios.length === 0
      ? {}
      : { scenarios: scenarios.map(([name, totals]) => ({ name, ...recentOf(totals, from.scenarios.get(name) ?? {}) })) }),
  };
}

function recentOf(now: Totals, from: Totals): RecentSample {
  const { latency } = latencyOf(totalSinceOrNone(now.duration, from.duration));
  return {
    requests: countOf(now.requests) - countOf(from.requests),
    failedRequests: passesOf(now.failed) - passesOf(from.failed),
    ...(latency === undefined ? {} : percentilesIn(latency)),
  };
}

function percentilesIn({ p50, p95, p99 }: LiveLatency): { p50: number; p95: number; p99: number } {
  return { p50: p50.value, p95: p95.value, p99: p99.value };
}

/** What happened since the line before, of the endpoints or scenarios at which anything did. */
function partsOf(now: ReadonlyMap<string, Totals>, before: ReadonlyMap<string, Totals>): Record<string, PartOfSecond> {
  const parts = [...now].map(([name, totals]) => [name, partOf(totals, before.get(name) ?? {})] as const);
  return Object.fromEntries(parts.filter(([, { requests }]) => requests > 0));
}

function partOf(now: Totals, before: Totals): PartOfSecond {
  return {
    requests: countOf(now.requests) - countOf(before.requests),
    failedRequests: passesOf(now.failed) - passesOf(before.failed),
    ...latencyOf(totalSinceOrNone(now.duration, before.duration)),
  };
}

function failedSince(now: FleetTotals, before: FleetTotals): Pick<FleetLine, 'failedBy'> {
  const grown = [...now.byStatus].map(([status, total]) => [status, passesOf(total) - passesOf(before.byStatus.get(status))] as const);
  const failed = grown.filter(([, count]) => count > 0);
  return failed.length === 0 ? {} : { failedBy: Object.fromEntries(failed) };
}

/** How long the second was, and what the last seconds are told against. */
interface Against {
  readonly seconds: number;
  readonly recentFrom: ReadonlyMap<string, Totals> | undefined;
}

function endpointsOf(
  now: ReadonlyMap<string, Totals>,
  before: ReadonlyMap<string, Totals>,
  { seconds, recentFrom }: Against,
): EndpointSample[] {
  const isWhole = now.size <= 2 * sampledEndpoints;
  const recent = (name: string, totals: Totals) => {
    const from = recentFrom?.get(name) ?? (recentFrom !== undefined && isWhole ? {} : undefined);
    return from === undefined ? {} : { recent: recentOf(totals, from) };
  };
  return [...now]
    .map(([name, totals]) => ({ name, totals, requests: countOf(totals.requests) }))
    .sort((a, b) => b.requests - a.requests)
    .slice(0, sampledEndpoints)
    .map(({ name, totals, requests }) => ({
      name,
      requests,
      requestsPerSecond: (requests - countOf(before.get(name)?.requests)) / seconds,
      failedRequests: passesOf(totals.failed),
      ...latencyOf(totals.duration),
      ...recent(name, totals),
    }));
}

function totalSinceOrNone(now: LiveTotal | undefined, before: LiveTotal | undefined): LiveTotal | undefined {
  return now && totalSince(now, before);
}

function countOf(total: LiveTotal | undefined): number {
  return total?.kind === 'counter' ? total.count : 0;
}

function passesOf(total: LiveTotal | undefined): number {
  return total?.kind === 'rate' ? total.passes : 0;
}

function gaugeOf(total: LiveTotal | undefined): number {
  return total?.kind === 'gauge' ? total.high : 0;
}

const percentiles = ['p(50)', 'p(95)', 'p(99)'];

function latencyOf(duration: LiveTotal | undefined): { latency?: LiveLatency } {
  const metric = duration && readTotal(duration, percentiles, noSpan);
  const [p50, p95, p99] = percentiles.map((stat) => metric && readStat(metric, stat));
  return p50 && p95 && p99 ? { latency: { p50: rounded(p50), p95: rounded(p95), p99: rounded(p99) } } : {};
}

/** A microsecond is enough for people and files. */
function rounded({ value, low, high }: LiveValue): LiveValue {
  const rounds = (ms: number, round: (number: number) => number) => round(ms * 1000) / 1000;
  return { value: rounds(value, Math.round), low: rounds(low, Math.floor), high: rounds(high, Math.ceil) };
}
