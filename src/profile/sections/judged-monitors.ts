import type { JudgedMonitor } from '../../metrics/servers/monitor.js';
import { lateness, monitorValues } from '../../metrics/servers/values.js';
import { type MonitorConfig, queryUnits } from './monitors.js';
import type { Profile } from './schema.js';

/** The parts of a profile that say what its monitors measure. */
export type Monitoring = Pick<Profile, 'monitors' | 'stores'>;

/** The monitors of a profile, as far as judging goes. */
export function judgedMonitors({ monitors, stores }: Monitoring): JudgedMonitor[] {
  return Object.entries(monitors).map(([name, config]) => {
    const { kind, required } = config;
    const gives = givenBy(config, stores);
    if (config.kind === 'cloudwatch') return { name, kind, required, every: config.every, gives, periodMs: lateness.cloudwatch.periodMs };
    if (config.kind !== 'prometheus') return { name, kind, required, every: config.every, gives };
    const looksBack = config.pods === undefined ? longestRange(config.query ?? '') : podsRangeMs;
    return {
      name,
      kind,
      required,
      every: config.every,
      gives,
      ...(config.pods === undefined ? { unit: queryUnits[config.unit] } : {}),
      ...(config.as === undefined ? {} : { as: config.as }),
      ...(looksBack === 0 ? {} : { looksBack }),
    };
  });
}

/** How far the queries about pods look back. */
const podsRangeMs = 60_000;

/** The names of the values that a monitor gives, as it is configured. */
function givenBy(config: MonitorConfig, stores: Profile['stores']): string[] {
  switch (config.kind) {
    case 'postgres':
      return Object.keys(monitorValues.postgres).filter((name) => name !== 'lag' || hasStandby(config, stores));
    case 'queue':
      return queueGives(config);
    case 'host':
      return hostGives(config);
    case 'prometheus':
      return config.pods === undefined ? ['value'] : ['cpu', 'memory', 'throttled'];
    case 'cloudwatch':
      return cloudwatchGives(config);
    default:
      return Object.keys(monitorValues[config.kind]);
  }
}

/** A database alone is never behind; of one that is given by its URL it is not known that it is alone. */
function hasStandby({ store }: Extract<MonitorConfig, { kind: 'postgres' }>, stores: Profile['stores']): boolean {
  const config = store === undefined ? undefined : stores[store];
  return (
    config === undefined ||
    config.kind !== 'postgres' ||
    config.replica !== undefined ||
    config.replicas !== undefined ||
    config.url !== undefined
  );
}

function queueGives({ age, stream, group }: Extract<MonitorConfig, { kind: 'queue' }>): string[] {
  const isStream = stream !== undefined && group !== undefined;
  return ['depth', ...(age !== undefined || isStream ? ['age'] : []), ...(isStream ? ['pending'] : []), 'drain'];
}

/** What has to be known of an instance's class is only judged where the profile says it. */
function cloudwatchGives({ instance, memory, maxConnections }: Extract<MonitorConfig, { kind: 'cloudwatch' }>): string[] {
  if (instance === undefined) return ['cpu', 'memory', 'hostCpu', 'clients', 'evictions', 'lag'];
  return [
    'cpu',
    ...(memory === undefined ? [] : ['memory']),
    ...(maxConnections === undefined ? [] : ['connections']),
    ...['freeMemory', 'connectionsUsed', 'lag', 'diskQueue', 'readLatency', 'writeLatency', 'freeStorage'],
  ];
}

function hostGives({ here, cgroup }: Extract<MonitorConfig, { kind: 'host' }>): string[] {
  if (cgroup !== undefined) return ['cpu', 'memory', 'throttled'];
  return Array.isArray(here) ? ['cpu', 'memory'] : ['cpu', 'memory', 'load', 'iowait', 'steal'];
}

const rangeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** The longest range that a PromQL query looks back over: `rate(x[1m])` a minute. Texts in quotes and subqueries' steps are none. */
export function longestRange(query: string): number {
  const bare = query.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '""');
  const ranges = [...bare.matchAll(/\[\s*((?:\d+(?:ms|[smhdwy]))+)\s*(?::[^\]]*)?\]/g)].map(([, text = '']) =>
    [...text.matchAll(/(\d+)(ms|[smhdw])/g)].reduce((sum, [, count, unit = '']) => sum + Number(count) * (rangeUnits[unit] ?? 0), 0),
  );
  return Math.max(0, ...ranges);
}
