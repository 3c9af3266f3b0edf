import { fieldsOf, type K6Options } from '../plan/inspection.js';

/** What a fleet's options have beside the test's own. */
export interface FleetAdditions {
  readonly runners: number;
  /** All thresholds: the script's, without `abortOnFail`, and those that bring our sub-metrics into being. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
  /** The stats of every Trend: the grid. */
  readonly trendStats: readonly string[];
  /** For a script that has none of its own. */
  readonly userAgent: string;
  /** Block lists that are longer than the script's. */
  readonly blocked: K6Options;
}

/** The options that k6 is given: the test's own, normalised, and what a fleet needs beside them. */
export function fleetOptions(own: K6Options, { runners, thresholds, trendStats, userAgent, blocked }: FleetAdditions): K6Options {
  return {
    userAgent,
    ...withoutShortcuts(own),
    scenarios: withVusForEach(own.scenarios, runners),
    ...blocked,
    thresholds,
    summaryTrendStats: trendStats,
  };
}

/** The options for calling handleSummary once more: how k6 talks to the world is the script's, load and limits are not. */
export function handOverOptions(own: K6Options): K6Options {
  const { thresholds: _thresholds, minIterationDuration: _pause, rps: _rps, paused: _paused, ...rest } = withoutShortcuts(own);
  return { ...rest, scenarios: { default: { executor: 'shared-iterations', vus: 1, iterations: 1 } } };
}

/** Normalised options hold each load twice, and nulls for what nobody said: k6 takes back neither. */
export function withoutShortcuts(own: K6Options): K6Options {
  const { vus: _vus, duration: _duration, iterations: _iterations, stages: _stages, ...options } = own;
  return fieldsOf(withoutNulls(options));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const said = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(said.map(([name, inner]) => [name, withoutNulls(inner)]));
}

/**
 * A runner whose share of the pre-allocated VUs is none makes them when an iteration is due, and drops that iteration: so
 * each gets one at least.
 */
function withVusForEach(scenarios: unknown, runners: number): K6Options {
  const atLeast = (count: unknown) => (typeof count === 'number' ? Math.max(count, runners) : undefined);
  const each = Object.entries(fieldsOf(withoutNulls(scenarios))).map(([name, scenario]) => {
    const { preAllocatedVUs, maxVUs, ...rest } = fieldsOf(scenario);
    const pool = withoutNulls({ preAllocatedVUs: atLeast(preAllocatedVUs) ?? null, maxVUs: atLeast(maxVUs) ?? null });
    return [name, { ...rest, ...fieldsOf(pool) }] as const;
  });
  return Object.fromEntries(each);
}
