import { evaluate, readStat } from './evaluate.js';
import { baseName, findMetric, metricIdentity } from './metric-key.js';
import type { Contains, MetricType, Summary, SummaryGroup, SummaryMetric } from './summary.js';
import { readScriptThresholds, type ScriptThreshold } from './threshold.js';

/** The object that k6 hands to handleSummary (internal/js/summary.go, summarizeMetricsToObject). */
export interface HandleSummaryData {
  readonly metrics: Readonly<Record<string, HandedMetric>>;
  readonly root_group: SummaryGroup;
  readonly options: { readonly summaryTrendStats: readonly string[]; readonly summaryTimeUnit: string; readonly noColor: boolean };
  readonly state: { readonly isStdOutTTY: boolean; readonly isStdErrTTY: boolean; readonly testRunDurationMs: number };
  /** Missing where setup() gave nothing. */
  readonly setup_data?: unknown;
}

/** A metric as k6 hands it over; a value is null where k6 would have infinity, which JSON cannot say. */
interface HandedMetric {
  readonly type: MetricType;
  readonly contains: Contains;
  readonly values: Readonly<Record<string, number | null>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

/** What the summary does not say. */
export interface Handing {
  /** The script's effective options: its thresholds, `summaryTrendStats`, `summaryTimeUnit`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly setupData: unknown;
  /** Whether stdout and stderr are terminals. */
  readonly terminal: { readonly stdout: boolean; readonly stderr: boolean };
  readonly noColor?: boolean;
  /** Whether a metric is the user's; where it is missing, all are that a single k6 would show him. */
  readonly isShown?: (key: string, metric: SummaryMetric) => boolean;
}

const defaultStats: readonly string[] = ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'];

/** The stats that a script's summary shows: its own `summaryTrendStats` or k6's; their percentiles must be merged, too. */
export function trendStatsOf(options: Readonly<Record<string, unknown>>): readonly string[] {
  const stats: unknown = options.summaryTrendStats;
  const own = Array.isArray(stats) ? stats.filter((stat): stat is string => typeof stat === 'string') : [];
  return own.length > 0 ? own : defaultStats;
}

/**
 * Merged numbers in the shape in which one k6 hands its own to handleSummary. A threshold is `ok` when it certainly holds:
 * one without data is not.
 */
export function handleSummaryData(summary: Summary, handing: Handing): HandleSummaryData {
  const { options, terminal, setupData } = handing;
  const stats = trendStatsOf(options);
  const { byMetric } = readScriptThresholds(options.thresholds);
  const isShown = handing.isShown ?? shownByK6(Object.keys(byMetric));
  const shown = Object.entries(summary.metrics).filter(([key, metric]) => isShown(key, metric));
  return {
    metrics: Object.fromEntries(shown.map(([key, metric]) => [key, handOver(key, metric, stats, findMetric(byMetric, key) ?? [])])),
    root_group: summary.rootGroup,
    options: { summaryTrendStats: stats, summaryTimeUnit: text(options.summaryTimeUnit), noColor: handing.noColor ?? false },
    state: { isStdOutTTY: terminal.stdout, isStdErrTTY: terminal.stderr, testRunDurationMs: summary.wholeMs ?? summary.durationMs },
    ...(setupData === undefined ? {} : { setup_data: setupData }),
  };
}

/** Metrics of loadctl's own begin with this. */
const ownPrefix = 'loadctl_';

/** The sub-metric that k6 makes without being asked. */
const unasked = 'http_req_duration{expected_response:true}';

/**
 * k6 shows what had samples, what a threshold names, and the metric above a sub-metric that a threshold names. loadctl's
 * own thresholds bring further metrics into being, which are left out.
 */
function shownByK6(thresholdKeys: readonly string[]): (key: string, metric: SummaryMetric) => boolean {
  const named = new Set(thresholdKeys.flatMap((key) => [metricIdentity(key), baseName(key)]));
  return (key, metric) => {
    if (baseName(key).startsWith(ownPrefix)) return false;
    if (named.has(metricIdentity(key))) return true;
    const isSubMetric = key.includes('{');
    return hasSamples(key, metric) && (!isSubMetric || metricIdentity(key) === metricIdentity(unasked));
  };
}

/** k6 counts transferred bytes in every test, even none; any other counter at zero was never added to. */
function hasSamples(key: string, { type, values }: SummaryMetric): boolean {
  if (type === 'gauge') return Object.keys(values).length > 0;
  if (type === 'rate') return values.rate !== undefined;
  return values.count === undefined || values.count > 0 || ['data_sent', 'data_received'].includes(key);
}

function handOver(key: string, metric: SummaryMetric, stats: readonly string[], thresholds: readonly ScriptThreshold[]): HandedMetric {
  const { type, contains } = metric;
  const values = Object.fromEntries(statsFor(type, stats).map((stat) => [stat, readStat(metric, stat)?.value ?? missing(metric)]));
  if (thresholds.length === 0) return { type, contains, values };
  const results = thresholds.map(
    ({ source, expression }) => [source, { ok: evaluate(key, expression, metric).outcome === 'pass' }] as const,
  );
  return { type, contains, values, thresholds: Object.fromEntries(results) };
}

function statsFor(type: MetricType, trendStats: readonly string[]): readonly string[] {
  return { counter: ['count', 'rate'], rate: ['rate', 'passes', 'fails'], gauge: ['value', 'min', 'max'], trend: trendStats }[type];
}

/** k6 hands over zeros for a metric without samples; one that has samples lacks only what is infinite. */
function missing({ type, values }: SummaryMetric): number | null {
  const isEmpty =
    type === 'counter' ? values.count === 0 : type === 'trend' ? values.count === 0 : type === 'rate' || Object.keys(values).length === 0;
  return isEmpty ? 0 : null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
