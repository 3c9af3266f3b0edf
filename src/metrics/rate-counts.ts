import type { LiveTotal } from './live-total.js';
import { baseName, parseMetricName } from './metric-key.js';
import type { Contains, MetricType } from './summary.js';

/** What runners were asked for as their pushes do not tell it, by metric key. */
export type RateCounts = ReadonlyMap<string, LiveTotal>;

/** What a metric comes to in one runner since its start: of a trend k6 says `avg`, `min`, `med`, `max`, `p(90)` and `p(95)`. */
export interface AskedMetric {
  readonly type: MetricType;
  readonly contains: Contains;
  readonly values: Readonly<Record<string, number>>;
}

/** How often one check held, in one runner. */
export interface CountedCheck {
  readonly name: string;
  /** The path of its group: `::checkout`; empty outside any. */
  readonly group: string;
  readonly passes: number;
  readonly fails: number;
}

/** Whether the checks of a key can be counted by their names and groups. */
export function isCountable(key: string): boolean {
  const parsed = parseMetricName(key);
  return !('error' in parsed) && parsed.name === 'checks' && (parsed.tags ?? []).every(([tag]) => tag === 'check' || tag === 'group');
}

/** The checks that a key is about, of all runners together; undefined where there are none yet. */
export function countChecks(key: string, checks: readonly CountedCheck[]): LiveTotal | undefined {
  const parsed = parseMetricName(key);
  if ('error' in parsed) return undefined;
  const isMeant = ({ name, group }: CountedCheck) =>
    (parsed.tags ?? []).every(([tag, value]) => value === (tag === 'check' ? name : group));
  const meant = checks.filter(isMeant);
  const passes = meant.reduce((sum, check) => sum + check.passes, 0);
  const total = meant.reduce((sum, check) => sum + check.passes + check.fails, 0);
  return total === 0 ? undefined : { kind: 'rate', contains: 'default', passes, total };
}

/** The counter of the same samples as this rate, where k6 has one: so it is known what the rate is a share of. */
export function counterBeside(key: string): string | undefined {
  return baseName(key) === 'http_req_failed' ? key.replace('http_req_failed', 'http_reqs') : undefined;
}

/** A rate of the fleet, of runners that tell it and its {@link counterBeside}. */
export function countedRate(parts: readonly { readonly rate: AskedMetric; readonly counter: AskedMetric }[]): LiveTotal | undefined {
  const counted = parts.flatMap(({ rate, counter }) => {
    const [share, total] = [rate.values.rate, counter.values.count];
    return share === undefined || total === undefined ? [] : [{ passes: Math.round(share * total), total }];
  });
  if (counted.length === 0 || counted.length < parts.length) return undefined;
  const sum = (of: 'passes' | 'total') => counted.reduce((all, part) => all + part[of], 0);
  return { kind: 'rate', contains: 'default', passes: sum('passes'), total: sum('total') };
}

/** The fleet's metric, of which each runner's own is known: counts add up, what else it is lies between the least and the largest. */
export function amongRunners(asked: readonly AskedMetric[]): LiveTotal | undefined {
  const [first] = asked;
  if (first === undefined) return undefined;
  const { type, contains } = first;
  const of = (stat: string) => asked.flatMap(({ values }) => values[stat] ?? []);
  if (type === 'counter') return { kind: 'counter', contains, count: of('count').reduce((sum, count) => sum + count, 0) };
  const stats = Object.keys(first.values).map((stat) => [stat, [Math.min(...of(stat)), Math.max(...of(stat))] as const] as const);
  if (type === 'trend') return { kind: 'stats', contains, bounds: Object.fromEntries(stats) };
  const [low, high] = Object.fromEntries(stats).rate ?? [];
  return type === 'rate' && low !== undefined && high !== undefined ? { kind: 'share', contains, low, high } : undefined;
}
