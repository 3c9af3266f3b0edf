import type { Crossing } from '../../core/criterion.js';
import type { Emit, EndpointSample, LiveLatency } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import type { EpochMs, LiveValue, Milliseconds } from '../../core/quantities.js';
import type { LiveLook } from '../../metrics/abort-watch.js';
import { readStat } from '../../metrics/evaluate.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import { type LiveTotal, readTotal, type Span, totalSince } from '../../metrics/live-total.js';
import type { Picks } from '../../metrics/series.js';
import { hasWindow, windowTag } from '../../metrics/window.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import { type LiveData, silentMs } from './live-data.js';

const everyMs = 1000;
/** As many endpoints as an event tells of; timeseries.ndjson has them all. */
const endpointsTold = 30;
const noSpan: Span = { low: 0, high: 0 };

/** What a live view is given. */
export interface LiveViewContext {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly live: LiveData;
  readonly directory: RunDirectory;
  /** How many runners there are. */
  readonly runners: number;
  readonly totalMs: Milliseconds;
  /** Whether samples of iterations are told from those of setup() by the tag of the judged window. */
  readonly tagged: boolean;
  /** Good and all health probes so far; undefined where nothing is probed. */
  probes(): { readonly good: number; readonly total: number } | undefined;
  /** Whether the fleet must end, by what is known now. */
  watch(look: LiveLook): Crossing | undefined;
  /** Called once, with the first crossing. */
  crossed(crossing: Crossing): void;
}

/** The live view of a load. */
export interface LiveView {
  /** Stops looking every second; a second call does nothing. */
  stop(): Promise<void>;
  /** One last look, when every runner has pushed its last. */
  finish(): void;
}

/**
 * Tells once a second what the fleet does, from what its runners push; writes it to timeseries.ndjson, and watches
 * whether it must end.
 */
export function startLiveView(context: LiveViewContext): LiveView {
  const { clock, live, watch, crossed } = context;
  const stopped = new AbortController();
  const begun = clock.now();
  const tell = teller(context, begun);
  let done = false;
  const look = () => {
    if (live.heardAt.size === 0) return;
    tell(clock.now());
    live.tellExcess();
    const crossing = done ? undefined : watch(liveLook(context, begun));
    if (crossing === undefined) return;
    done = true;
    crossed(crossing);
  };
  const loop = async () => {
    for (let next = begun + everyMs; !stopped.signal.aborted; next += everyMs) {
      await clock.sleep(Math.max(0, next - clock.now()), stopped.signal);
      if (!stopped.signal.aborted) look();
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      done = true;
      stopped.abort();
      await looping;
    },
    finish: () => {
      done = true;
      look();
    },
  };
}

/** Samples of setup() belong to no iteration; they carry no `part`. */
const inIterations = ({ tagged }: Pick<LiveViewContext, 'tagged'>): Picks | undefined =>
  tagged ? (tags) => windowTag.tag in tags : undefined;

function liveLook(context: LiveViewContext, begun: EpochMs): LiveLook {
  const { clock, live, runners, probes } = context;
  const { numbers, heardAt } = live;
  const now = clock.now();
  const heard = [...heardAt.values()].filter((at) => now - at < silentMs);
  const seconds = heard.length < runners ? undefined : { low: (Math.min(...heard) - begun) / 1000, high: (now - begun) / 1000 };
  return {
    elapsedMs: now - begun,
    seconds,
    total: (metric) => numbers.total(metric),
    inIterations: (metric) => {
      if (heard.length === 0) return undefined;
      if (metric === 'availability') return availability(probes(), numbers, context);
      return numbers.total(metric, hasWindow(metric) ? inIterations(context) : undefined);
    },
  };
}

/** The share of good health probes; of good requests where nothing is probed. */
function availability(
  probes: { good: number; total: number } | undefined,
  numbers: LiveNumbers,
  context: LiveViewContext,
): LiveTotal | undefined {
  if (probes !== undefined) return { kind: 'rate', contains: 'default', passes: probes.good, total: probes.total };
  const failed = numbers.total('http_req_failed', inIterations(context));
  return failed?.kind === 'rate' ? { ...failed, passes: failed.total - failed.passes } : undefined;
}

/** What is told of the whole fleet, of an endpoint, and of a scenario. */
interface Totals {
  readonly requests: LiveTotal | undefined;
  readonly failed: LiveTotal | undefined;
  readonly duration: LiveTotal | undefined;
}

const noTotals: Totals = { requests: undefined, failed: undefined, duration: undefined };

function teller(context: LiveViewContext, begun: EpochMs): (at: EpochMs) => void {
  const { live, directory, emit, totalMs } = context;
  const { numbers, heardAt } = live;
  let before = { at: begun, whole: noTotals, endpoints: new Map<string, Totals>(), scenarios: new Map<string, Totals>() };
  return (at) => {
    const seconds = Math.max(0.001, (at - before.at) / 1000);
    const now = { at, whole: wholeTotals(context), endpoints: totalsBy('name', numbers), scenarios: totalsBy('scenario', numbers) };
    const fleet = {
      elapsedMs: at - begun,
      totalMs,
      vus: Math.round(gaugeOf(numbers.total('vus'))),
      requests: countOf(now.whole.requests),
      requestsPerSecond: (countOf(now.whole.requests) - countOf(before.whole.requests)) / seconds,
      failedRequests: passesOf(now.whole.failed),
      iterations: countOf(numbers.total('iterations')),
      runnersReporting: [...heardAt.values()].filter((heard) => at - heard < silentMs).length,
    };
    const second = (totals: ReadonlyMap<string, Totals>, earlier: ReadonlyMap<string, Totals>) => {
      const parts = [...totals].map(([name, total]) => [name, secondOf(total, earlier.get(name) ?? noTotals)] as const);
      return Object.fromEntries(parts.filter(([, { requests }]) => requests > 0));
    };
    directory.append(runFiles.timeseries, {
      at,
      ...fleet,
      ...latencyOf(totalSinceOrNone(now.whole.duration, before.whole.duration)),
      endpoints: second(now.endpoints, before.endpoints),
      scenarios: second(now.scenarios, before.scenarios),
    });
    emit({
      type: 'fleet-sampled',
      ...fleet,
      ...latencyOf(now.whole.duration),
      endpoints: endpointsOf(now.endpoints, before.endpoints, seconds),
      endpointsInAll: now.endpoints.size,
    });
    before = now;
  };
}

function wholeTotals(context: LiveViewContext): Totals {
  const { numbers } = context.live;
  return {
    requests: numbers.total('http_reqs'),
    failed: numbers.total('http_req_failed'),
    duration: numbers.total('http_req_duration', inIterations(context)),
  };
}

function totalsBy(tag: string, numbers: LiveNumbers): Map<string, Totals> {
  const [failed, duration] = [numbers.totalsBy(tag, 'http_req_failed'), numbers.totalsBy(tag, 'http_req_duration')];
  return new Map(
    [...numbers.totalsBy(tag, 'http_reqs')].map(([name, requests]) => [
      name,
      { requests, failed: failed.get(name), duration: duration.get(name) },
    ]),
  );
}

interface Second {
  readonly requests: number;
  readonly failedRequests: number;
  readonly latency?: LiveLatency;
}

/** A line's share of one endpoint or scenario: what happened since the line before. */
function secondOf(now: Totals, before: Totals): Second {
  return {
    requests: countOf(now.requests) - countOf(before.requests),
    failedRequests: passesOf(now.failed) - passesOf(before.failed),
    ...latencyOf(totalSinceOrNone(now.duration, before.duration)),
  };
}

function endpointsOf(now: ReadonlyMap<string, Totals>, before: ReadonlyMap<string, Totals>, seconds: number): EndpointSample[] {
  const all = [...now].map(([name, { requests, failed, duration }]) => ({
    name,
    requests: countOf(requests),
    requestsPerSecond: (countOf(requests) - countOf(before.get(name)?.requests)) / seconds,
    failedRequests: passesOf(failed),
    ...latencyOf(duration),
  }));
  return all.sort((a, b) => b.requests - a.requests).slice(0, endpointsTold);
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
