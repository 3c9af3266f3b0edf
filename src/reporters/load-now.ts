import type { LimitSample, LoadAim, LoggedEvent } from '../core/events.js';
import type { RunnerId } from '../core/ids.js';
import type { ServerSample } from '../core/monitors.js';
import { isLoss, type RunnerEnd } from '../core/outcome.js';
import type { Milliseconds, PerSecond } from '../core/quantities.js';
import { endText } from './sentences/end.js';
import type { Sentence } from './sentences/sentence.js';

/** A second of the load. */
export type LiveSecond = Extract<LoggedEvent, { type: 'fleet-sampled' }>;

/** A runner, as far as it is known. */
export interface RunnerNow {
  readonly host: string;
  readonly vus?: number;
  readonly state: 'starting' | 'ready' | 'under load' | 'ended' | 'lost';
  /** Why it was lost. */
  readonly why?: string;
}

/** What has been said, and when. */
export interface Said {
  readonly t: Milliseconds;
  readonly sentence: Sentence;
}

/** Seconds of the load that are drawn as lines: the last of them; a percentile is missing where nothing was measured. */
export interface History {
  readonly requestsPerSecond: readonly PerSecond[];
  readonly p50: readonly (Milliseconds | undefined)[];
  readonly p95: readonly (Milliseconds | undefined)[];
  readonly p99: readonly (Milliseconds | undefined)[];
}

/** Everything that is known of a load while it is on. */
export interface LoadNow {
  readonly environment: string;
  readonly releasedAt: Milliseconds;
  readonly aim: LoadAim;
  readonly isStopping: boolean;
  readonly second: LiveSecond | undefined;
  readonly history: History;
  readonly limits: readonly LimitSample[];
  readonly servers: readonly ServerSample[];
  readonly runners: ReadonlyMap<RunnerId, RunnerNow>;
  readonly said: readonly Said[];
}

/** Follows events, and knows at any time what is known of the load. */
export interface LoadFold {
  /** Takes an event, and what it was said to mean. */
  add(event: LoggedEvent, sentence: Sentence | undefined): void;
  readonly now: LoadNow;
}

/** So many seconds are kept: as many as the widest screens have columns. */
const keptSeconds = 300;
const keptSentences = 100;

type Changing = { -readonly [K in keyof LoadNow]: LoadNow[K] } & {
  readonly runners: Map<RunnerId, RunnerNow>;
  readonly said: Said[];
};

/** A {@link LoadFold} at the beginning of its events. */
export function loadFold(): LoadFold {
  const now: Changing = {
    environment: '',
    releasedAt: 0,
    aim: {},
    isStopping: false,
    second: undefined,
    history: { requestsPerSecond: [], p50: [], p95: [], p99: [] },
    limits: [],
    servers: [],
    runners: new Map(),
    said: [],
  };
  return {
    now,
    add: (event, sentence) => {
      take(now, event);
      if (sentence === undefined || sentence.tone === 'faint') return;
      now.said.push({ t: event.t, sentence });
      if (now.said.length > keptSentences) now.said.shift();
    },
  };
}

function take(now: Changing, event: LoggedEvent): void {
  switch (event.type) {
    case 'phase-started':
      now.environment = event.environment;
      return;
    case 'fleet-released':
      now.releasedAt = event.t;
      now.aim = { ...(event.judged && { judged: event.judged }), ...(event.shares && { shares: event.shares }) };
      for (const [id, runner] of now.runners) now.runners.set(id, { ...runner, state: 'under load' });
      return;
    case 'fleet-sampled':
      now.second = event;
      now.history = longer(now.history, event);
      return;
    case 'limits-sampled':
      now.limits = event.limits;
      return;
    case 'servers-sampled':
      now.servers = event.samples;
      return;
    case 'fleet-stopped':
      now.isStopping = true;
      if (event.cause === 'runner-lost') lose(now, event);
      return;
    case 'noted':
      now.isStopping ||= event.code === 'stopping';
      return;
    case 'runner-started':
    case 'runner-ready':
    case 'runner-lost':
    case 'runner-ended':
      now.runners.set(event.runner, runnerAfter(event, now.runners.get(event.runner) ?? { host: '', state: 'starting' }));
      return;
    default:
  }
}

function lose({ runners }: Changing, { runner, end }: { readonly runner: RunnerId; readonly end: RunnerEnd }): void {
  runners.set(runner, { ...(runners.get(runner) ?? { host: '' }), state: 'lost', why: endText(end) });
}

type OfRunner = Extract<LoggedEvent, { type: 'runner-started' | 'runner-ready' | 'runner-lost' | 'runner-ended' }>;

function runnerAfter(event: OfRunner, before: RunnerNow): RunnerNow {
  switch (event.type) {
    case 'runner-started':
      return { host: event.host, state: 'starting' };
    case 'runner-ready':
      return { ...before, vus: event.vus, state: 'ready' };
    case 'runner-lost':
      return { ...before, state: 'lost', why: endText(event.end) };
    case 'runner-ended':
      return isLoss(event) ? { ...before, state: 'lost', why: endText(event) } : { ...before, state: 'ended' };
  }
}

function longer(history: History, { requestsPerSecond, second = {} }: LiveSecond): History {
  const kept = <T>(before: readonly T[], next: T) => [...before.slice(1 - keptSeconds), next];
  return {
    requestsPerSecond: kept(history.requestsPerSecond, requestsPerSecond),
    p50: kept(history.p50, second.p50),
    p95: kept(history.p95, second.p95),
    p99: kept(history.p99, second.p99),
  };
}
