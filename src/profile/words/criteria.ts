import type { Criterion, Operator } from '../../core/criterion.js';
import { parseDuration, parsePercent, parseRate, trimNumber } from '../../core/quantities.js';
import { k6Unit } from '../../metrics/k6-unit.js';
import { baseName, parseMetricName } from '../../metrics/metric-key.js';
import { isProblem, parseThreshold } from '../../metrics/threshold.js';
import { allOf, nearest } from './near.js';
import { parseSize } from './size.js';

/** Why words are not a criterion; `on` says which part of the entry is meant. */
export interface CriterionProblem {
  readonly problem: string;
  readonly on: 'name' | 'value';
}

type Read = { criterion: Criterion } | CriterionProblem;
type Unit = Criterion['unit'];

/** What a word of the SLA measures. */
interface Meaning {
  readonly metric: string;
  readonly stat: string;
  readonly unit: Unit;
  /** The operator of a bare value. */
  readonly bare: Operator;
  /** Whether it is a threshold as k6 writes it. */
  readonly inK6Words?: boolean;
}

const latency = (stat: string): Meaning => ({ metric: 'http_req_duration', stat, unit: 'ms', bare: '<' });

/** The words of the SLA besides p<N>. */
const words: Readonly<Record<string, Meaning>> = {
  avg: latency('avg'),
  med: latency('med'),
  max: latency('max'),
  availability: { metric: 'availability', stat: 'rate', unit: '%', bare: '>=' },
  errors: { metric: 'http_req_failed', stat: 'rate', unit: '%', bare: '<' },
  throughput: { metric: 'http_reqs', stat: 'rate', unit: '/s', bare: '>=' },
};

/** Every word that an SLA may use, for near misses. */
export const slaWords: readonly string[] = ['p50', 'p90', 'p95', 'p99', 'p99.9', ...Object.keys(words)];

/** The servers' metrics that every environment may limit; further names are the profile's monitors'. */
export const serverWords: readonly string[] = ['cpu', 'memory', 'dbConnections', 'queueDepth'];

const operatorFirst = /^\s*(<=|>=|===|==|!=|<|>)\s*(.+?)\s*$/s;
const number = /^[-+]?(\d[\d_]*)?\.?\d+(e[-+]?\d+)?$/i;

/** What limits of each unit look like. */
const wanted: Readonly<Record<Unit, string>> = {
  ms: 'a duration such as `< 500ms`',
  '%': 'a percentage such as `< 0.1%`',
  '/s': 'a rate such as `30000/s`',
  B: 'a size such as `< 10MB`',
  '': 'a number such as `< 1000`',
};

/** One entry of `sla`: a word or a k6 metric, and its limit. */
export function readSla(name: string, value: string): Read {
  const meaning = meaningOf(name);
  if (meaning) return limited({ name, source: 'client', window: 'steady' }, meaning, value);
  const { stat, named } = statBefore(name);
  if (stat !== undefined && looksLikeMetric(named)) return readThreshold(named, `${stat} ${value}`);
  if (!looksLikeMetric(name)) return { problem: noWord(name), on: 'name' };
  return readThreshold(name, value);
}

/** The statistic of a limit for the servers that does not say: that of what it measures. */
export const usualStat = 'value';

const statFirst = /^\s*(max|min|avg|p\d+(?:\.\d+)?)\s+(.+)$/s;

/** One entry of `critical`: a word or a monitor's value, and its limit, with a statistic before either where it is not the usual one. */
export function readCritical(name: string, value: string): Read {
  const { stat: before, named: metric } = statBefore(name);
  const [, stat = usualStat, limit = value] = statFirst.exec(before === undefined ? value : `${before} ${value}`) ?? [];
  const unit = serverShares.test(metric) ? '%' : unitOf(limit.replace(operatorFirst, '$2').trim());
  const level = /^p([\d.]+)$/.exec(stat)?.[1];
  if (level !== undefined && Number(level) > 100)
    return { problem: 'expected a percentile of at most 100 such as `p95 < 90%`', on: 'value' };
  return limited({ name, source: 'server', window: 'steady' }, { metric, stat, unit, bare: '<' }, limit);
}

/** The condition of an abort rule: `errors > 5%`, `cpu > 95%`, `p95 cpu > 90%`, `checkout_time{step:pay} p(99) > 2s`. */
export function readAbort(condition: string): Read {
  const { name, rest } = nameFirst(condition);
  if (operatorFirst.test(rest)) return meaningOf(name) ? readSla(name, rest) : readCritical(name, rest);
  if (serverWords.includes(name) || (/^[^{_]*$|^[^{]*\./.test(name) && statFirst.test(rest))) return statShown(readCritical(name, rest));
  return isProblem(parseThreshold(inK6Stat(rest), () => 0))
    ? { problem: 'expected a condition such as `errors > 5%` or `p95 cpu > 90%`', on: 'value' }
    : readThreshold(name, rest);
}

/** A condition's name, and what is said of it: a statistic may stand before either. */
function nameFirst(condition: string): { readonly name: string; readonly rest: string } {
  const { stat, named } = statBefore(condition);
  const [, name = '', rest = ''] = /^\s*([\w.-]+(?:\{.*\})?)\s*(.*?)\s*$/s.exec(named) ?? [];
  return { name, rest: stat === undefined ? rest : `${stat} ${rest}` };
}

/** Takes a statistic off that stands before a name. */
function statBefore(words: string): { readonly stat?: string; readonly named: string } {
  const [, stat, named] = /^\s*(max|min|avg|med|rate|count|p\d+(?:\.\d+)?|p\(\d+(?:\.\d+)?\))\s+([A-Za-z_].*)$/s.exec(words) ?? [];
  return stat === undefined || named === undefined ? { named: words } : { stat, named };
}

/** A rule is called by its statistic, too, where it names one. */
function statShown(read: Read): Read {
  if (!('criterion' in read)) return read;
  const { name, stat } = read.criterion;
  return { criterion: { ...read.criterion, name: `${stat} ${name}` } };
}

/** k6 writes `p(95)` what limits for the servers call `p95`. */
function inK6Stat(expression: string): string {
  return expression.replace(/^(\s*)p(\d+(?:\.\d+)?)(?=\s*[<>=!])/, '$1p($2)');
}

function noWord(name: string): string {
  const near = nearest(name, slaWords);
  const hint = near === undefined ? `it has ${allOf(['p95', ...Object.keys(words)])}, and k6 metrics` : `did you mean \`${near}\`?`;
  return `\`${name}\` is not a word of the SLA; ${hint}`;
}

function meaningOf(name: string): Meaning | undefined {
  const percentile = /^p(\d+(?:\.\d+)?)$/.exec(name)?.[1];
  if (percentile !== undefined) return Number(percentile) <= 100 ? latency(`p(${percentile})`) : undefined;
  return Object.hasOwn(words, name) ? words[name] : undefined;
}

/** k6's built-in metrics and whatever cannot be a misspelled word. */
function looksLikeMetric(name: string): boolean {
  return /[_{]/.test(name) || name === 'checks' || name === 'iterations' || name === 'vus';
}

function readThreshold(key: string, value: string): Read {
  const metric = parseMetricName(key);
  if ('error' in metric) return { problem: `expected a metric of k6; ${metric.error}`, on: 'name' };
  let limit = '';
  const read = parseThreshold(inK6Stat(value), (text) => {
    limit = text;
    return 0;
  });
  if (isProblem(read)) {
    const expected = 'expected a threshold such as `p(95) < 500ms` or `rate < 1%`';
    return { problem: operatorFirst.test(value) ? expected : `${read.error}; ${expected}`, on: 'value' };
  }
  const unit = k6Unit(metric.name, read.stat) ?? unitOf(limit);
  const meaning: Meaning = { metric: key, stat: read.stat, unit, bare: '<', inK6Words: true };
  return limited({ name: `${key} ${read.stat}`, source: 'client', window: 'steady' }, meaning, `${read.operator} ${limit}`);
}

/** What a limit is written in. */
function unitOf(limit: string): Unit {
  if (parsePercent(limit) !== undefined) return '%';
  if (parseRate(limit) !== undefined) return '/s';
  if (!number.test(limit) && parseDuration(limit) !== undefined) return 'ms';
  return parseSize(limit) === undefined ? '' : 'B';
}

function limited(who: Pick<Criterion, 'name' | 'source' | 'window'>, meaning: Meaning, value: string): Read {
  const match = operatorFirst.exec(value);
  const text = match?.[2] ?? value.trim();
  const operator = (match?.[1] as Operator | undefined) ?? meaning.bare;
  const misread = shareProblem(text, match === null ? '' : `${operator} `, { ...meaning, operator });
  const limit = readLimit(text, meaning.unit);
  if (limit === undefined || misread !== undefined) return { problem: misread ?? `expected ${wanted[meaning.unit]}`, on: 'value' };
  const { metric, stat, unit } = meaning;
  return { criterion: { name: who.name, source: who.source, metric, stat, operator, limit, unit, window: who.window } };
}

/**
 * What is wrong with a share above the whole, and with a bare 1 or more: `errors: 1` may be meant as 1% and would be all. k6's
 * own words may say that all of a rate is wanted: `checks: rate==1`.
 */
function shareProblem(
  text: string,
  before: string,
  { metric, stat, bare, operator, inK6Words }: Meaning & { readonly operator: Operator },
) {
  const isShare = serverShares.test(metric) || metric === 'availability' || k6Unit(baseName(metric), stat) === '%';
  if (!isShare) return undefined;
  const share = parsePercent(text);
  if (share !== undefined && share > 1) return 'expected a percentage of at most 100%';
  const value = share ?? (number.test(text) ? Number(text.replaceAll('_', '')) : 0.5);
  // A limit for the servers that nothing breaks shows the value: `cpu: <= 100%`.
  const isShown = serverShares.test(metric) && operator === '<=';
  if (share !== undefined || value === 0) return inK6Words || isShown ? undefined : hollowProblem(operator, value);
  if (value < 1 || (value === 1 && inK6Words && !operator.startsWith('<'))) return undefined;
  const forms = value === 1 && bare.startsWith('>') ? ['100%'] : [`${trimNumber(value, 6)}%`, trimNumber(value / 100, 8)];
  const such = forms.map((form) => `\`${inK6Words ? `${stat} ` : ''}${before}${form}\``);
  return `expected a percentage such as ${such.join(' or ')}`;
}

/** A share that nothing can meet, or that nothing can fail, is not what was meant. */
function hollowProblem(operator: Operator, share: number): string | undefined {
  if (share === 0 && operator === '<') return 'expected a percentage such as `<= 0%`: nothing is below 0%';
  if (share === 1 && operator === '>') return 'expected a percentage such as `>= 100%`: nothing is above 100%';
  const always = (share === 0 && operator === '>=') || (share === 1 && operator === '<=');
  return always ? `expected a limit that can be broken: every percentage is ${operator} ${share * 100}%` : undefined;
}

const serverShares = /^(cpu|memory|dbConnections)$/;

function readLimit(text: string, unit: Unit): number | undefined {
  if (unit === 'ms' && parseDuration(text) !== undefined) return parseDuration(text);
  if (unit === '%' && parsePercent(text) !== undefined) return parsePercent(text);
  if (unit === '/s' && parseRate(text) !== undefined) return parseRate(text);
  if (unit === 'B' && parseSize(text) !== undefined) return parseSize(text);
  const bare = number.test(text) ? Number(text.replaceAll('_', '')) : undefined;
  return unit === '%' && bare !== undefined && (bare < 0 || bare > 1) ? undefined : bare;
}
