import type { Criterion, Operator } from '../core/criterion.js';
import { LoadctlError } from '../core/errors.js';
import { type Milliseconds, parseDuration } from '../core/quantities.js';
import { parseGoFloat } from './go-float.js';
import { type Problem, parseMetricName } from './metric-key.js';
import { percentileLevel } from './quantile-grid.js';
import type { Contains, MetricType } from './summary.js';

/** A threshold expression, read: `p(95) < 500`. */
export interface ThresholdExpression {
  /** As written, so that it is a key of the values: `p(99.90)`, `rate`. */
  readonly stat: string;
  readonly operator: Operator;
  readonly limit: number;
}

/** Whether a reader found something wrong. */
export function isProblem(result: object): result is Problem {
  return 'error' in result && 'at' in result;
}

/** k6's operators in the order in which k6 looks for them. */
const operators: readonly Operator[] = ['<=', '<', '>=', '>', '===', '==', '!='];

const simpleStats: readonly string[] = ['value', 'count', 'rate', 'avg', 'min', 'med', 'max'];

/**
 * Reads a threshold expression by k6's rules (metrics.parseThresholdExpression): the first operator of k6's list that
 * has something behind it splits the text, spaces around both sides do not count, the limit is a Go float.
 * `readLimit` reads limits in other words, such as `800ms`.
 */
export function parseThreshold(
  text: string,
  readLimit: (text: string) => number | undefined = parseGoFloat,
): ThresholdExpression | Problem {
  const split = splitAtOperator(text);
  if (split === undefined) return { error: 'no operator with a limit: write, for example, p(95)<500', at: text.length };
  const { operator, at } = split;
  const method = goTrim(text.slice(0, at));
  const stat = method === 'p' ? 'p(0)' : method; // k6 takes a bare p, and reads it so
  if (!simpleStats.includes(stat) && (stat === '' || percentileLevel(stat) === undefined)) return unknownStat(stat, leadingSpace(text));
  const right = text.slice(at + operator.length);
  const limit = readLimit(goTrim(right));
  if (limit === undefined) return { error: `"${goTrim(right)}" is not a number`, at: at + operator.length + leadingSpace(right) };
  return { stat, operator, limit };
}

function splitAtOperator(text: string): { operator: Operator; at: number } | undefined {
  for (const operator of operators) {
    const at = text.indexOf(operator);
    if (at >= 0 && at + operator.length < text.length) return { operator, at };
  }
  return undefined;
}

function unknownStat(stat: string, at: number): Problem {
  const isPercentile = stat.startsWith('p(') && stat.endsWith(')');
  if (isPercentile) return { error: `"${stat}" is not a percentile: write p(N) with N from 0 to 100`, at };
  return { error: `"${stat}" is none of ${simpleStats.join(', ')}, p(N)`, at };
}

const space = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*';
const aroundSpace = new RegExp(`^(${space})(.*?)${space}$`, 's');

/** Go's strings.TrimSpace: not quite the same characters as JavaScript's trim. */
function goTrim(text: string): string {
  return aroundSpace.exec(text)?.[2] ?? text;
}

function leadingSpace(text: string): number {
  return aroundSpace.exec(text)?.[1]?.length ?? 0;
}

const statsByType: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ['count', 'rate'],
  rate: ['rate'],
  gauge: ['value'],
  trend: ['avg', 'min', 'max', 'med', 'p(N)'],
};

/** The stats that a threshold may ask of a metric of this type. */
export function statsOf(type: MetricType): readonly string[] {
  return statsByType[type];
}

/** Whether a metric of this type has the stat: `p(95)` a trend, `rate` a counter and a rate. */
export function hasStat(type: MetricType, stat: string): boolean {
  return statsByType[type].includes(percentileLevel(stat) !== undefined && stat !== 'med' ? 'p(N)' : stat);
}

/** A threshold of a script in either of k6's forms. */
export interface ScriptThreshold {
  /** As written: the key under which k6 reports it. */
  readonly source: string;
  readonly expression: ThresholdExpression;
  readonly abortOnFail: boolean;
  /** How long the test must have run before it may abort. */
  readonly delayAbortMs: Milliseconds;
}

/** Reads one threshold: an expression, or `{threshold, abortOnFail, delayAbortEval}`. */
export function parseScriptThreshold(form: unknown): ScriptThreshold | Problem {
  const fields: Readonly<Record<string, unknown>> = typeof form === 'object' && form !== null ? { ...form } : { threshold: form };
  const { threshold: source, abortOnFail, delayAbortEval } = fields;
  if (typeof source !== 'string') return { error: 'a threshold is a text or {threshold, abortOnFail, delayAbortEval}', at: 0 };
  const delayAbortMs = readDelay(delayAbortEval);
  if (delayAbortMs === undefined) return { error: 'delayAbortEval is a duration such as 10s', at: 0 };
  const expression = parseThreshold(source);
  return isProblem(expression) ? expression : { source, expression, abortOnFail: abortOnFail === true, delayAbortMs };
}

/** k6's durations: a text with units, or milliseconds. */
function readDelay(value: unknown): Milliseconds | undefined {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseDuration(value) : undefined;
}

/** A script's thresholds by metric key, and what is wrong with any of them. */
export interface ScriptThresholds {
  readonly byMetric: Readonly<Record<string, readonly ScriptThreshold[]>>;
  readonly problems: readonly ThresholdProblem[];
}

/** A problem with the metric key it was found under, and the threshold's text where it is one's. */
interface ThresholdProblem extends Problem {
  readonly metric: string;
  readonly source?: string;
}

/**
 * Reads the `thresholds` of a script's options (as `k6 inspect` tells them). `types` are the metrics that exist, where
 * they are known: a threshold on any other, or with a stat that its type lacks, is a problem, as it is in k6.
 */
export function readScriptThresholds(thresholds: unknown, types?: Readonly<Record<string, MetricType>>): ScriptThresholds {
  const byMetric: Record<string, readonly ScriptThreshold[]> = {};
  const problems: ThresholdProblem[] = [];
  for (const [metric, forms] of Object.entries(typeof thresholds === 'object' && thresholds !== null ? thresholds : {})) {
    const type = typeOfKey(metric, types);
    if (type !== undefined && typeof type !== 'string') problems.push({ metric, ...type });
    else if (!Array.isArray(forms)) problems.push({ metric, error: 'thresholds are a list', at: 0 });
    else {
      const read = forms.map((form: unknown) => ({ form, result: checkStat(parseScriptThreshold(form), type) }));
      byMetric[metric] = read.flatMap(({ result }) => (isProblem(result) ? [] : [result]));
      problems.push(...read.flatMap(({ form, result }) => (isProblem(result) ? [{ metric, ...sourceOf(form), ...result }] : [])));
    }
  }
  return { byMetric, problems };
}

/**
 * The thresholds of options that k6 itself normalised. Throws `invalid-profile` for one that k6 takes and this cannot read:
 * none is left out without a word.
 */
export function scriptThresholds(thresholds: unknown): ScriptThresholds['byMetric'] {
  const { byMetric, problems } = readScriptThresholds(thresholds);
  const [first] = problems;
  if (first === undefined) return byMetric;
  const { metric, source, error } = first;
  throw new LoadctlError(
    'invalid-profile',
    `loadctl cannot read the threshold ${metric}${source === undefined ? '' : `: ${source}`}: ${error}.`,
    {
      hint: 'Write it as k6 documents thresholds: https://grafana.com/docs/k6/latest/using-k6/thresholds/',
    },
  );
}

function sourceOf(form: unknown): { source?: string } {
  const source: unknown = typeof form === 'object' && form !== null && 'threshold' in form ? form.threshold : form;
  return typeof source === 'string' ? { source } : {};
}

function typeOfKey(key: string, types: Readonly<Record<string, MetricType>> | undefined): MetricType | Problem | undefined {
  const parsed = parseMetricName(key);
  if ('error' in parsed) return parsed;
  if (types === undefined) return undefined;
  return types[parsed.name] ?? { error: `there is no metric ${parsed.name}`, at: 0 };
}

function checkStat(threshold: ScriptThreshold | Problem, type: MetricType | undefined): ScriptThreshold | Problem {
  if (isProblem(threshold) || type === undefined || hasStat(type, threshold.expression.stat)) return threshold;
  return { error: `a ${type} has no ${threshold.expression.stat}: it has ${statsOf(type).join(', ')}`, at: 0 };
}

/** A script's threshold as a criterion: k6's meaning, so the whole test. */
export function scriptCriterion(metric: string, { expression }: ScriptThreshold, is: { type: MetricType; contains: Contains }): Criterion {
  return {
    name: `${metric} ${expression.stat}`,
    source: 'script',
    metric,
    ...expression,
    unit: unitOf(is, expression.stat),
    window: 'test',
  };
}

/** The unit in which a stat of such a metric is shown. */
function unitOf({ type, contains }: { type: MetricType; contains: Contains }, stat: string): Criterion['unit'] {
  if (type === 'rate') return '%';
  if (type === 'counter' && stat === 'rate') return '/s';
  return contains === 'time' ? 'ms' : contains === 'data' ? 'B' : '';
}
