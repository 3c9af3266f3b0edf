import type { LiveTotal } from './live-total.js';
import { parseMetricName } from './metric-key.js';

/** What is known of rates beyond their shares, by metric key. */
export type RateCounts = ReadonlyMap<string, LiveTotal>;

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

/** The rate of the fleet, of which each runner's own is known exactly and not what it is a share of. */
export function amongRates(rates: readonly number[]): LiveTotal | undefined {
  if (rates.length === 0) return undefined;
  return { kind: 'share', contains: 'default', low: Math.min(...rates), high: Math.max(...rates) };
}
