import type { Criterion } from './criterion.js';
import type { EpochMs, LiveValue, Milliseconds } from './quantities.js';

/** Every kind of monitor. */
export type MonitorKindName = 'postgres' | 'pgbouncer' | 'redis' | 'queue' | 'host' | 'prometheus' | 'cloudwatch';

/** What a limit may name besides one monitor's value: every monitor that measures it counts. */
export type ServerWord = 'cpu' | 'memory' | 'dbConnections' | 'queueDepth';

/** Numbers as a source told them, by name: gauges as they are, counters since whenever the server began to count. */
export type MonitorValues = Readonly<Record<string, number>>;

/** What one look at one source came to. */
export interface MonitorLook {
  /** Which server, shard, node or series it is of: `127.0.0.1:5432/shop`; no secrets. */
  readonly source: string;
  readonly values?: MonitorValues;
  /** Why there are no values. */
  readonly error?: string;
  /** How old the values were when they were asked for, by the source's own clock. */
  readonly ageMs?: Milliseconds;
  /** Of a value that is about a whole period: when that began, by the source's clock. What is told of it later counts. */
  readonly periodFrom?: EpochMs;
  /** It is looked at this seldom, where that is less often than asked for: a count of many rows is load itself. */
  readonly everyMs?: Milliseconds;
  /** The source is none any more, and rightly so: a node that left its cluster. */
  readonly gone?: true;
}

/**
 * A line of monitors.ndjson besides its wall clock: `t` is the moment of the values, or when their period began, in milliseconds
 * since the run was opened.
 */
export interface MonitorLine extends Omit<MonitorLook, 'ageMs'> {
  readonly t: Milliseconds;
  readonly monitor: string;
}

/** How a limit for the servers was measured. */
export interface Monitored {
  /** The monitor and the source that came out worst; a queue in several parts is added up, and its monitor alone is named. */
  readonly monitor: string;
  readonly source?: string;
  /** `avg`, `max`, `min`, `p95`, `total`, `held 10s`, `time to drain`. */
  readonly stat: string;
  readonly samples: number;
  readonly longestHoleMs: Milliseconds;
}

/** What a limit for the servers stands at now. */
export interface ServerSample {
  readonly limit: Criterion;
  readonly value: number;
  readonly holds: boolean;
  readonly monitor: string;
  readonly source?: string;
  /** How often it is looked at. */
  readonly everyMs: Milliseconds;
}

/** A limit that was broken for a while, or that holds again. */
export interface BrokenLimit {
  readonly limit: Criterion;
  readonly actual: LiveValue;
  /** Of a limit for the servers: where. */
  readonly monitor?: string;
  readonly source?: string;
}
