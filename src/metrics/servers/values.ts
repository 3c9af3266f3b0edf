import type { MonitorKindName, ServerWord } from '../../core/monitors.js';
import type { Milliseconds, Unit } from '../../core/quantities.js';

/** How a value is read from what a source tells; see {@link MonitorLook.values}. */
export type Reading =
  /** A gauge as it is. */
  | { readonly from: 'gauge'; readonly of: string }
  /** A gauge as a share of another one. */
  | { readonly from: 'quotient'; readonly of: string; readonly by: string }
  /** How much a counter grew, by how much another one grew meanwhile. */
  | { readonly from: 'share'; readonly of: string; readonly by: string }
  /** How much a counter grew a second. */
  | { readonly from: 'rate'; readonly of: string }
  /** How much a counter grew in all. */
  | { readonly from: 'growth'; readonly of: string }
  /** What a whole period came to, as a source that tells in periods says it. */
  | { readonly from: 'period'; readonly of: string; readonly ms: Milliseconds }
  /** How long a gauge took, after the load, to come back to where it stood before it. */
  | { readonly from: 'drain'; readonly of: string };

/** A value that monitors of a kind give. */
export interface MonitorValue {
  readonly reading: Reading;
  readonly unit: Unit;
  /** What is judged where a limit does not say: a mean over time, the most, the least. */
  readonly stat: 'avg' | 'max' | 'min';
  readonly word?: ServerWord;
  /** Parts of one whole are added up; else each source stands for itself, and the worst is judged. */
  readonly adds?: true;
  readonly meaning: string;
}

const gauge = (of: string): Reading => ({ from: 'gauge', of });
const share = (of: string, by: string): Reading => ({ from: 'share', of, by });
const quotient = (of: string, by: string): Reading => ({ from: 'quotient', of, by });
const rate = (of: string): Reading => ({ from: 'rate', of });
const growth = (of: string): Reading => ({ from: 'growth', of });

/** A source that tells in periods, and some time after they are over. */
export const lateness = {
  /** CloudWatch has a point a minute of RDS and ElastiCache, which is right after two to three more. */
  cloudwatch: { periodMs: 60_000, soonestMs: 120_000, rightMs: 180_000 },
} as const;

const minute = (of: string): Reading => ({ from: 'period', of, ms: lateness.cloudwatch.periodMs });

const machine = {
  cpu: { reading: share('cpuBusy', 'cpuTotal'), unit: '%', stat: 'avg', word: 'cpu', meaning: 'CPU used, of all CPUs' },
  memory: { reading: quotient('memoryUsed', 'memoryTotal'), unit: '%', stat: 'max', word: 'memory', meaning: 'memory used' },
} as const satisfies Record<string, MonitorValue>;

/** Every value of every kind of monitor, by name; docs/monitors.md says the same in more words. */
export const monitorValues = {
  postgres: {
    connections: {
      reading: quotient('connections', 'usable'),
      unit: '%',
      stat: 'max',
      word: 'dbConnections',
      meaning: 'connections, of those that ordinary roles may have',
    },
    connectionsUsed: { reading: gauge('sessions'), unit: '', stat: 'max', meaning: 'connections' },
    waiting: { reading: gauge('waiting'), unit: '', stat: 'max', meaning: 'sessions that wait for a lock' },
    idleInTransaction: { reading: gauge('idleInTransaction'), unit: '', stat: 'max', meaning: 'sessions idle in a transaction' },
    lag: { reading: gauge('lagMs'), unit: 'ms', stat: 'max', meaning: 'how far a standby is behind' },
    commits: { reading: rate('commits'), unit: '/s', stat: 'avg', meaning: 'transactions committed' },
    rollbacks: { reading: rate('rollbacks'), unit: '/s', stat: 'avg', meaning: 'transactions rolled back' },
    deadlocks: { reading: growth('deadlocks'), unit: '', stat: 'max', meaning: 'deadlocks' },
    tempFiles: { reading: growth('tempFiles'), unit: '', stat: 'max', meaning: 'temporary files that queries wrote' },
    cacheHits: { reading: share('blocksHit', 'blocksWanted'), unit: '%', stat: 'avg', meaning: 'blocks found in shared buffers' },
  },
  pgbouncer: {
    waiting: {
      reading: gauge('waiting'),
      unit: '',
      stat: 'max',
      meaning: 'clients that wait for a server connection, in the fullest pool',
    },
    maxWait: { reading: gauge('maxWaitMs'), unit: 'ms', stat: 'max', meaning: 'how long the first of them has waited' },
    clients: { reading: gauge('clients'), unit: '', stat: 'max', meaning: 'clients, active and waiting' },
    servers: { reading: gauge('servers'), unit: '', stat: 'max', meaning: 'connections to the database' },
  },
  redis: {
    cpu: {
      reading: share('threadSeconds', 'seconds'),
      unit: '%',
      stat: 'avg',
      word: 'cpu',
      meaning: 'the one thread that serves, of one CPU',
    },
    memory: { reading: quotient('memoryUsed', 'memoryMax'), unit: '%', stat: 'max', word: 'memory', meaning: 'memory, of maxmemory' },
    memoryUsed: { reading: gauge('memoryUsed'), unit: 'B', stat: 'max', meaning: 'memory' },
    clients: { reading: quotient('clients', 'clientsMax'), unit: '%', stat: 'max', meaning: 'clients, of maxclients' },
    blocked: { reading: gauge('blocked'), unit: '', stat: 'max', meaning: 'clients that wait in a blocking command' },
    ops: { reading: rate('commands'), unit: '/s', stat: 'avg', meaning: 'commands' },
    hits: { reading: share('hits', 'lookups'), unit: '%', stat: 'avg', meaning: 'look-ups that found their key' },
    evictions: { reading: growth('evicted'), unit: '', stat: 'max', meaning: 'keys evicted' },
    rejected: { reading: growth('rejected'), unit: '', stat: 'max', meaning: 'connections rejected for maxclients' },
  },
  queue: {
    depth: { reading: gauge('depth'), unit: '', stat: 'max', word: 'queueDepth', adds: true, meaning: 'entries that wait' },
    age: { reading: gauge('ageMs'), unit: 'ms', stat: 'max', meaning: 'how long the oldest of them has waited' },
    pending: { reading: gauge('pending'), unit: '', stat: 'max', adds: true, meaning: 'entries handed out and not acknowledged' },
    drain: {
      reading: { from: 'drain', of: 'depth' },
      unit: 'ms',
      stat: 'max',
      adds: true,
      meaning: 'time after the load until no more wait than before it',
    },
  },
  host: {
    ...machine,
    load: { reading: quotient('load', 'cpus'), unit: '', stat: 'avg', meaning: 'load average of a minute, for each CPU' },
    iowait: { reading: share('cpuWaiting', 'cpuTotal'), unit: '%', stat: 'avg', meaning: 'CPU idle for want of the disk' },
    steal: { reading: share('cpuStolen', 'cpuTotal'), unit: '%', stat: 'avg', meaning: 'CPU that other guests of the host got' },
    throttled: {
      reading: share('throttled', 'periods'),
      unit: '%',
      stat: 'avg',
      meaning: 'periods in which a control group ran out of CPU',
    },
  },
  prometheus: {
    value: { reading: gauge('value'), unit: '', stat: 'max', meaning: 'what the query answers' },
    cpu: { ...machine.cpu, reading: gauge('cpu'), meaning: 'CPU of the pods, of their limits' },
    memory: { ...machine.memory, reading: gauge('memory'), meaning: 'working set of the pods, of their limits' },
    throttled: { reading: gauge('throttled'), unit: '%', stat: 'avg', meaning: 'periods in which the pods ran out of CPU' },
  },
  cloudwatch: {
    cpu: { ...machine.cpu, reading: minute('cpu'), meaning: 'CPU of the instance; of a Redis the one thread that serves' },
    memory: { ...machine.memory, reading: minute('memory'), meaning: 'memory used' },
    freeMemory: { reading: minute('freeMemory'), unit: 'B', stat: 'min', meaning: 'memory that is free' },
    connections: {
      reading: minute('connectionsShare'),
      unit: '%',
      stat: 'max',
      word: 'dbConnections',
      meaning: 'connections, of `maxConnections`',
    },
    connectionsUsed: { reading: minute('connections'), unit: '', stat: 'max', meaning: 'connections' },
    lag: { reading: minute('lagMs'), unit: 'ms', stat: 'max', meaning: 'how far a replica is behind' },
    diskQueue: { reading: minute('diskQueue'), unit: '', stat: 'avg', meaning: 'requests that wait for the disk' },
    readLatency: { reading: minute('readMs'), unit: 'ms', stat: 'avg', meaning: 'time of a read from the disk' },
    writeLatency: { reading: minute('writeMs'), unit: 'ms', stat: 'avg', meaning: 'time of a write to the disk' },
    freeStorage: { reading: minute('freeStorage'), unit: 'B', stat: 'min', meaning: 'disk space that is free' },
    hostCpu: { reading: minute('hostCpu'), unit: '%', stat: 'avg', meaning: 'CPU of the machine of a Redis, of all its CPUs' },
    clients: { reading: minute('clients'), unit: '', stat: 'max', meaning: 'connections' },
    evictions: { reading: minute('evictions'), unit: '', stat: 'max', meaning: 'keys evicted in a minute' },
  },
} as const satisfies Record<MonitorKindName, Record<string, MonitorValue>>;

/** A value of a kind; undefined where the kind has none of that name. */
export function monitorValue(kind: MonitorKindName, name: string): MonitorValue | undefined {
  const values: Readonly<Record<string, MonitorValue>> = monitorValues[kind];
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
