import type { EndpointNumbers } from '../../core/events.js';
import { formatCount } from '../../core/quantities.js';
import { measuredNumbers } from '../../metrics/endpoint-numbers.js';
import { formatValue } from '../../metrics/limit-text.js';
import { isOfScript } from '../../metrics/script-numbers.js';
import type { Summary, SummaryCheck, SummaryGroup, SummaryMetric } from '../../metrics/summary.js';
import { formatRate } from '../../reporters/sentences/words.js';
import type { Course } from '../result/course.js';
import { type Markup, markup } from '../result/markup.js';
import type { Judged } from '../result/result.js';
import { endpointFigures } from './charts.js';
import { type Charted, figureMarkup } from './figure.js';
import { type Cell, details, exactNumber, figures, section, table, words } from './table.js';

const percentiles = ['p50', 'p95', 'p99'] as const;
/** A percentile with fewer samples beyond it is the word of a few requests. */
const leastBeyond = 10;
const beyond = { p50: 0.5, p95: 0.05, p99: 0.01 } as const;

/** Every endpoint, with what went well and what failed, of the judged window; the busiest with charts. */
export function endpointsSection({ record, summary }: Judged, course: Course | undefined): Charted {
  if (summary === undefined) return { section: undefined, charts: [] };
  const { all, endpoints, other, script } = measuredNumbers(summary, record.plan.steady, Number.POSITIVE_INFINITY);
  const titles = ['requests', 'req/s', 'OK', 'failed', 'errors', ...percentiles].map(figures);
  const rest = other === undefined ? [] : [endpointRow('other requests', other)];
  const rows = [...endpoints.map((one) => endpointRow(one.name, one)), ...rest, endpointRow('all requests', all)];
  const scenarios = script.scenarios.map(({ name, iterations, iterationsPerSecond: rate, dropped, requests, errors, p95 }) => [
    name,
    formatCount(iterations),
    rate === undefined ? '' : formatRate(rate),
    dropped === undefined ? '' : formatCount(dropped),
    formatCount(requests),
    errors === undefined ? '–' : formatValue(errors, '%'),
    p95 === undefined ? '–' : formatValue(p95, 'ms'),
  ]);
  const named = (course?.latency.endpoints ?? []).map(({ name, stretches }, index) => ({
    name,
    figures: endpointFigures(name, index, stretches),
  }));
  const content = section(
    'endpoints',
    'Endpoints',
    table('Requests of the judged window, by name', [words('endpoint'), ...titles], rows),
    markup`<p class="faint">Numbers in brackets are the bounds that a percentile certainly lies in; * fewer than ${leastBeyond} requests took longer, so that it says little.</p>\n`,
    named.length > 0
      ? markup`<h3>Over time</h3>\n${named.map(({ name, figures: own }) => details(name, markup`${own.map(figureMarkup)}`))}`
      : undefined,
    failedTable(summary),
    table(
      'Scenarios',
      [words('scenario'), ...['iterations', 'iterations/s', 'dropped', 'requests', 'errors', 'p95'].map(figures)],
      scenarios,
    ),
  );
  return { section: content, charts: named.flatMap(({ figures: own }) => own.map(({ data }) => data)) };
}

function endpointRow(name: string, { requests, requestsPerSecond, errors, latency }: EndpointNumbers): Cell[] {
  const failed = errors === undefined ? undefined : Math.round(errors * requests);
  return [
    name,
    formatCount(requests),
    requestsPerSecond === undefined ? '' : formatRate(requestsPerSecond),
    failed === undefined ? '–' : formatCount(requests - failed),
    failed === undefined ? '–' : formatCount(failed),
    errors === undefined ? '–' : formatValue(errors, '%'),
    ...percentiles.map((which) => percentile(latency?.[which], requests * beyond[which] < leastBeyond)),
  ];
}

function percentile(read: { readonly value: number; readonly low: number; readonly high: number } | undefined, isWeak: boolean): string {
  if (read === undefined) return '–';
  const [value, low, high] = [read.value, read.low, read.high].map((one) => formatValue(one, 'ms'));
  const bounds = low === value && high === value ? '' : ` (${low?.replace(' ms', '')}–${high?.replace(' ms', '')})`;
  return `${value}${bounds}${isWeak ? ' *' : ''}`;
}

function failedTable({ failed = [] }: Summary): Markup | undefined {
  const rows = failed.map(({ name, status, count }) => [name, status === 0 ? 'no answer' : exactNumber(status), exactNumber(count)]);
  return table('Failed requests of the judged window, by status', [words('endpoint'), words('status'), figures('requests')], rows);
}

/** What the script checks, group by group. */
export function checksSection({ summary }: Judged): Markup | undefined {
  const rows =
    summary === undefined ? [] : checksIn(summary.rootGroup).map(({ group, name, passes, fails }) => [group, name, ...held(passes, fails)]);
  const titles = [words('group'), words('check'), figures('passed'), figures('failed'), figures('share')];
  return section('checks', 'Checks', table('Checks of the script, over the whole test', titles, rows));
}

function held(passes: number, fails: number): Cell[] {
  return [exactNumber(passes), exactNumber(fails), passes + fails === 0 ? '–' : formatValue(passes / (passes + fails), '%')];
}

function checksIn(group: SummaryGroup): (SummaryCheck & { readonly group: string })[] {
  const own = group.checks.map((check) => ({ ...check, group: group.path.replace(/^::/, '').replaceAll('::', ' › ') }));
  return [...own, ...group.groups.flatMap(checksIn)];
}

/** The script's own metrics, and every number that was merged. */
export function metricsSection({ summary }: Judged): Markup | undefined {
  if (summary === undefined) return undefined;
  const all = Object.entries(summary.metrics);
  const own = all.filter(([key]) => !key.includes('{') && isOfScript(key));
  const titles = [words('metric'), words('kind'), words('values')];
  const { durationMs, wholeMs = durationMs, runners } = summary;
  const rows = (metrics: typeof all) => metrics.map(([key, metric]) => [key, kindOf(metric), valuesMarkup(metric)]);
  return section(
    'metrics',
    'Metrics',
    table('Metrics of the script’s own', titles, rows(own)),
    markup`<p>The load lasted ${exactNumber(durationMs)} ms (${exactNumber(wholeMs)} ms with setup() and teardown()); ${exactNumber(runners)} runners’ numbers are merged.</p>\n`,
    details(`Every metric, ${all.length} in all`, table('Every number of summary.json; times in milliseconds', titles, rows(all))),
  );
}

function kindOf({ type, contains }: SummaryMetric): string {
  return contains === 'default' ? type : `${type}, ${contains}`;
}

/** Bounds stand where they are not the value itself. */
function valuesMarkup({ values, bounds }: SummaryMetric): Markup {
  const parts = Object.entries(values).map(([stat, value]) => {
    const [low = value, high = value] = bounds[stat] ?? [];
    const exact = low === value && high === value;
    return markup`<span class="faint">${stat}</span> ${exactNumber(value)}${exact ? undefined : markup` (${exactNumber(low)}–${exactNumber(high)})`} `;
  });
  return markup`${parts}`;
}
