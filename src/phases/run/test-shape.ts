import type { Criterion } from '../../core/criterion.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Whole } from '../../core/secrets.js';
import { shareOutRps } from '../../k6/load-shape.js';
import { thresholdsApart } from '../../metrics/endpoint-metrics.js';
import { trendStatsOf } from '../../metrics/handle-summary.js';
import { metricIdentity } from '../../metrics/metric-key.js';
import { type ScriptThreshold, scriptThresholds } from '../../metrics/threshold.js';
import { type ForeseenLoad, foreseenLoad, type Inspection, type K6Options, milliseconds } from '../../plan/inspection.js';
import type { Plan } from '../../plan/plan.js';

/** What plan and script together make of a test. */
export interface TestShape {
  readonly inspection: Inspection;
  /** The test's options, as k6 normalised them, but for our additions. */
  readonly options: K6Options;
  readonly load: ForeseenLoad;
  readonly hasSetup: boolean;
  readonly hasTeardown: boolean;
  readonly setupTimeoutMs: Milliseconds;
  readonly teardownTimeoutMs: Milliseconds;
  /** Whether iterations of the judged window carry its tag: only where something was measured that does not belong to it. */
  readonly tagged: boolean;
  /** Each runner's share of the test's `rps`; empty where it has none. */
  readonly rps: readonly number[];
  /** The script's own thresholds by metric. */
  readonly own: Readonly<Record<string, readonly ScriptThreshold[]>>;
  /** All thresholds: the script's, and those that bring sub-metrics into being. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
}

/** k6 gives setup() and teardown() a minute each, where the script says nothing. */
const usualTimeoutMs: Milliseconds = 60_000;

/** Reads an inspection for a run of the plan. Throws `invalid-profile` for an `rps` that cannot be shared out. */
export function shapeOf(plan: Whole<Plan>, inspection: Inspection): TestShape {
  const { options, functions } = inspection;
  const hasSetup = functions.includes('setup') && options.noSetup !== true;
  const hasTeardown = functions.includes('teardown') && options.noTeardown !== true;
  const tagged = plan.steady !== undefined || hasSetup || hasTeardown;
  const own = scriptThresholds(options.thresholds);
  return {
    inspection,
    options,
    load: foreseenLoad(inspection),
    hasSetup,
    hasTeardown,
    setupTimeoutMs: milliseconds(options.setupTimeout) ?? usualTimeoutMs,
    teardownTimeoutMs: milliseconds(options.teardownTimeout) ?? usualTimeoutMs,
    tagged,
    rps: shareOutRps(options.rps, plan.runners.length),
    own,
    thresholds: thresholdsOf(plan, own, tagged),
  };
}

/** The stats that the SLA, the script's thresholds and its own summary ask for: their percentiles join the grid. */
export function statsWanted(criteria: readonly Criterion[], { options, own }: Pick<TestShape, 'options' | 'own'>): string[] {
  const ofScript = Object.values(own).flatMap((thresholds) => thresholds.map(({ expression }) => expression.stat));
  return [...criteria.map(({ stat }) => stat), ...ofScript, ...trendStatsOf(options)];
}

function thresholdsOf({ endpoints, criteria }: Plan, own: TestShape['own'], tagged: boolean): TestShape['thresholds'] {
  const plain = Object.entries(own).map(([metric, list]) => [metric, list.map(({ source }) => source)] as const);
  const apart = thresholdsApart({ endpoints: endpoints.map(({ name }) => name), criteria, thresholds: Object.keys(own), tagged });
  // Two spellings are one sub-metric, whose name in k6 is either, by chance: the script's own handleSummary looks for the script's.
  const spelled = new Set(Object.keys(own).map(metricIdentity));
  const unspelled = Object.entries(apart).filter(([metric]) => !spelled.has(metricIdentity(metric)));
  return Object.fromEntries([...unspelled, ...plain]);
}
