import type { Criterion } from '../core/criterion.js';
import { own } from '../core/own.js';
import type { Milliseconds } from '../core/quantities.js';
import { isSecretName, redacted } from '../core/secrets.js';
import type { Plan } from './plan.js';

/** Whether Grafana Cloud makes the load, by stock `k6 cloud run`: there is no fleet then. Run directories of earlier versions have plans without one, too. */
export function isInCloud({ fleet }: Partial<Pick<Plan, 'fleet'>>): boolean {
  return fleet?.backend === 'cloud';
}

/**
 * What leaves for Grafana Cloud and is a secret, by its name or by where its value comes from: variables, and after them the
 * profile's options, as `workload.options.NAME`.
 */
export function secretsThatLeave({ fleet, target, env, options }: Pick<Plan, 'fleet' | 'target' | 'env' | 'options'>): string[] {
  if (!isInCloud({ fleet }) || fleet.cloud === undefined) return [];
  const values = { BASE_URL: JSON.stringify(target), ...env };
  const variables = fleet.cloud.env.filter((name) => isSecretName(name) || own(values, name)?.includes(redacted) === true);
  const hiding = Object.keys(options).filter((name) => JSON.stringify(options[name])?.includes(redacted));
  return [...variables, ...hiding.map((name) => `workload.options.${name}`)];
}

/** The most virtual users at once, times hours: an estimate of what a service charges by. */
export function vuHoursOf({ vus, durationMs }: { readonly vus: number; readonly durationMs: Milliseconds }): number {
  return (vus * durationMs) / 3_600_000;
}

/** Limits as k6 itself holds them against the whole test, by metric; and those that nothing in Grafana Cloud measures. */
export interface CloudLimits {
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
  readonly unmeasured: readonly Criterion[];
}

/**
 * The SLA of a plan in k6's words: `p95: < 500ms` is `http_req_duration: p(95)<500` there. Availability and limits for the servers
 * are no metrics of k6.
 */
export function cloudLimits(criteria: readonly Criterion[]): CloudLimits {
  const isMeasured = ({ source, metric }: Criterion) => source !== 'server' && metric !== 'availability';
  const measured = criteria.filter(isMeasured);
  const textsOf = (name: string) =>
    measured.flatMap(({ metric, stat, operator, limit }) => (metric === name ? [`${stat}${operator}${limit}`] : []));
  const thresholds = Object.fromEntries(measured.map(({ metric }) => [metric, textsOf(metric)]));
  return { thresholds, unmeasured: criteria.filter((criterion) => !isMeasured(criterion)) };
}

/** The load zones as k6 has them in `options.cloud.distribution`; each label is an identifier, as scripts see it. */
export function cloudDistribution(zones: Readonly<Record<string, number>>): Record<string, { loadZone: string; percent: number }> {
  const entries = Object.entries(zones).map(([loadZone, share]) => [
    loadZone.replace(/\W+/g, '_'),
    { loadZone, percent: Math.round(share * 100) },
  ]);
  return Object.fromEntries(entries);
}
