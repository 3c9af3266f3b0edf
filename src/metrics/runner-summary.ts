import { LoadctlError } from '../core/errors.js';
import { baseName } from './metric-key.js';
import { type Grid, gridReader } from './quantile-grid.js';
import type { Contains, MetricType, SummaryCheck, SummaryGroup } from './summary.js';

/** One metric as one runner measured it. What is infinite (k6 exports null) is left out: no data. */
export type RunnerMetric =
  | { readonly type: 'counter'; readonly contains: Contains; readonly count?: number }
  | { readonly type: 'rate'; readonly contains: Contains; readonly passes: number; readonly fails: number }
  | RunnerGauge
  | { readonly type: 'trend'; readonly contains: Contains; readonly avg?: number; readonly grid: Grid };

/** A gauge; `empty`: a threshold brought it into being and nothing was ever added. */
interface RunnerGauge {
  readonly type: 'gauge';
  readonly contains: Contains;
  readonly empty: boolean;
  readonly value?: number;
  readonly min?: number;
  readonly max?: number;
}

/** One runner's numbers: its `--summary-export`, read. */
export interface RunnerSummary {
  readonly metrics: Readonly<Record<string, RunnerMetric>>;
  readonly rootGroup: SummaryGroup;
}

/** What the export does not say, by metric name: k6's REST API (`/v1/metrics`) does, for the script's own metrics too. */
export type ContainsByName = Readonly<Record<string, Contains>>;

/**
 * Reads what k6 wrote with `--summary-export` and the stats of {@link summaryTrendStats}. The export does not say what
 * a metric contains: k6's own metrics are known, those of the script come in `contains`, else they are `default`.
 */
export function parseRunnerSummary(json: unknown, contains: ContainsByName = {}): RunnerSummary {
  const root = object(json, 'the export');
  const metrics = object(root.metrics, 'metrics');
  const readers = { readGrid: gridReader(), declared: declaredByThresholds(metrics) };
  const entries = Object.entries(metrics).map(([key, value]): [string, RunnerMetric] => {
    const shape = object(value, `metrics.${key}`);
    return [key, readMetric(shape, key, containsOf(key, contains), readers)];
  });
  return { metrics: Object.fromEntries(entries), rootGroup: readGroup(root.root_group, 'root_group') };
}

type Fields = Readonly<Record<string, unknown>>;

interface Readers {
  readonly readGrid: (shape: Fields) => Grid | undefined;
  readonly declared: ReadonlySet<string>;
}

/** The metrics that k6 shows even without samples: those with thresholds, and those whose sub-metrics have some. */
function declaredByThresholds(metrics: Fields): ReadonlySet<string> {
  const named = Object.entries(metrics).filter(([, shape]) => isFields(shape) && 'thresholds' in shape);
  return new Set(named.flatMap(([key]) => [key, baseName(key)]));
}

function readMetric(shape: Fields, key: string, contains: Contains, { readGrid, declared }: Readers): RunnerMetric {
  switch (typeOf(shape)) {
    case 'rate':
      return { type: 'rate', contains, passes: count(shape.passes, `${key}.passes`), fails: count(shape.fails, `${key}.fails`) };
    case 'gauge':
      return readGauge(shape, key, contains, declared.has(key));
    case 'counter':
      return { type: 'counter', contains, ...optional('count', shape.count, key) };
    case 'trend': {
      const grid = readGrid(shape);
      if (!grid) throw malformed(`metrics.${key} is a trend without its count or percentiles`);
      return { type: 'trend', contains, grid, ...(grid.count > 0 ? optional('avg', shape.avg, key) : {}) };
    }
    case undefined:
      throw malformed(`metrics.${key} is of no kind that k6 has`);
  }
}

/** The four kinds have keys of their own in the export: rate passes; gauge value; trend avg or med; counter count. */
function typeOf(shape: Fields): MetricType | undefined {
  if ('passes' in shape && 'fails' in shape) return 'rate';
  if ('value' in shape) return 'gauge';
  if ('avg' in shape || 'med' in shape) return 'trend';
  return 'count' in shape && 'rate' in shape ? 'counter' : undefined;
}

/**
 * A gauge without samples exports three zeros, as does one that only ever was zero. Where no threshold made k6 show it,
 * it had samples; else three zeros are taken as no data.
 */
function readGauge(shape: Fields, key: string, contains: Contains, declared: boolean): RunnerGauge {
  const empty = declared && shape.value === 0 && shape.min === 0 && shape.max === 0;
  if (empty) return { type: 'gauge', contains, empty };
  const fields = { ...optional('value', shape.value, key), ...optional('min', shape.min, key), ...optional('max', shape.max, key) };
  return { type: 'gauge', contains, empty, ...fields };
}

const timeMetrics = new Set([
  'iteration_duration',
  'group_duration',
  'http_req_duration',
  'http_req_blocked',
  'http_req_connecting',
  'http_req_tls_handshaking',
  'http_req_sending',
  'http_req_waiting',
  'http_req_receiving',
  'ws_ping',
  'ws_session_duration',
  'ws_connecting',
  'grpc_req_duration',
  'browser_http_req_duration',
  'browser_web_vital_fcp',
  'browser_web_vital_inp',
  'browser_web_vital_lcp',
  'browser_web_vital_ttfb',
]);

const dataMetrics = new Set(['data_sent', 'data_received', 'browser_data_sent', 'browser_data_received']);

/** What a metric contains: by `known`, else by k6's own metrics. */
export function containsOf(key: string, known: ContainsByName): Contains {
  const name = baseName(key);
  if (Object.hasOwn(known, key)) return known[key] ?? 'default';
  if (Object.hasOwn(known, name)) return known[name] ?? 'default';
  return timeMetrics.has(name) ? 'time' : dataMetrics.has(name) ? 'data' : 'default';
}

function readGroup(value: unknown, where: string): SummaryGroup {
  const group = object(value, where);
  return {
    ...identityOf(group, where),
    groups: Object.entries(object(group.groups, `${where}.groups`)).map(([name, child]) => readGroup(child, `${where}.${name}`)),
    checks: Object.entries(object(group.checks, `${where}.checks`)).map(([name, check]) => readCheck(check, `${where}.${name}`)),
  };
}

function readCheck(value: unknown, where: string): SummaryCheck {
  const check = object(value, where);
  return { ...identityOf(check, where), passes: count(check.passes, `${where}.passes`), fails: count(check.fails, `${where}.fails`) };
}

function identityOf(fields: Fields, where: string): { name: string; path: string; id: string } {
  const { name, path, id } = fields;
  if (typeof name !== 'string' || typeof path !== 'string' || typeof id !== 'string') throw malformed(`${where} has no name, path and id`);
  return { name, path, id };
}

function object(value: unknown, where: string): Fields {
  if (!isFields(value)) throw malformed(`${where} is not an object`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function count(value: unknown, where: string): number {
  if (typeof value !== 'number' || value < 0) throw malformed(`${where} is not a count`);
  return value;
}

function optional<K extends string>(name: K, value: unknown, key: string): { [P in K]?: number } {
  if (value !== null && typeof value !== 'number') throw malformed(`metrics.${key}.${name} is not a number`);
  return value === null ? {} : ({ [name]: value } as { [P in K]?: number });
}

function malformed(what: string): LoadctlError {
  return new LoadctlError('unavailable', `the summary that a k6 runner wrote cannot be read: ${what}`, {
    hint: "Look at the runner's log in the run's folder: k6 may have been killed while it wrote.",
  });
}
