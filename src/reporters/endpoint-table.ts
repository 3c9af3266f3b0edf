import { formatCount, type Milliseconds, trimNumber } from '../core/quantities.js';
import { readStat } from '../metrics/evaluate.js';
import { formatValue } from '../metrics/limit-text.js';
import { baseName, tagsIn } from '../metrics/metric-key.js';
import type { Summary, SummaryMetric } from '../metrics/summary.js';
import { findInWindow, isOfWindow, isToldApart, windowTag } from '../metrics/window.js';
import { type Column, linesWidth, renderTable, type TableStyle } from './table.js';
import { formatRate } from './words.js';

const percentiles = ['p(50)', 'p(95)', 'p(99)'] as const;

const columns: readonly Column[] = [
  { title: 'endpoint' },
  { title: 'requests', align: 'right' },
  { title: 'req/s', align: 'right' },
  { title: 'errors', align: 'right' },
  ...percentiles.map((stat): Column => ({ title: stat.replace(/[()]/g, ''), align: 'right' })),
];

/** Scripts that give their requests no names have one for every URL; the summary has them all. */
const endpointsShown = 30;

/** Bounds wider than this share of their value are shown. */
const tellingWidth = 0.02;

/** Every endpoint by itself, and all together; of the judged window where there is one. A narrow screen gets no bounds. */
export function renderEndpoints(
  summary: Summary,
  steady: { from: Milliseconds; to: Milliseconds } | undefined,
  style: TableStyle,
): string[] {
  const end = Math.min(steady?.to ?? summary.durationMs, summary.durationMs);
  const windowMs = Math.max(0, end - (steady?.from ?? 0));
  const shown = busiest(summary, endpointNames(summary));
  const rest = restRow(summary, shown, windowMs);
  const table = (withBounds: boolean, within: TableStyle) => {
    const all = row(summary, undefined, windowMs, withBounds);
    const rows = shown.map((name) => row(summary, name, windowMs, withBounds));
    return rows.length === 0 && all[1] === '0' ? [] : renderTable(columns, [...rows, ...rest, all], within);
  };
  const full = table(true, { paint: style.paint });
  return linesWidth(full) <= (style.width ?? Number.POSITIVE_INFINITY) ? full : table(false, style);
}

/** Those with most requests, in their order. */
function busiest(summary: Summary, names: readonly string[]): readonly string[] {
  const most = names.toSorted((a, b) => requestsOf(summary, b) - requestsOf(summary, a)).slice(0, endpointsShown);
  return names.filter((name) => most.includes(name));
}

/** The `name` tags that the summary tells apart, in its order: for the judged window where there is one. */
function endpointNames({ metrics }: Summary): string[] {
  const toldApart = isToldApart(metrics);
  const names = Object.keys(metrics).flatMap((key) => {
    const { name, ...tags } = tagsIn(key);
    const { [windowTag.tag]: _part, ...others } = tags;
    const isRow = baseName(key) === 'http_req_duration' && isOfWindow(tags) === toldApart && Object.keys(others).length === 0;
    return isRow && name !== undefined ? [name] : [];
  });
  return [...new Set(names)];
}

function metricOf({ metrics }: Summary, base: string, name?: string): SummaryMetric | undefined {
  return findInWindow(metrics, name === undefined ? base : `${base}{name:${name}}`);
}

function requestsOf(summary: Summary, name?: string): number {
  return metricOf(summary, 'http_reqs', name)?.values.count ?? metricOf(summary, 'http_req_duration', name)?.values.count ?? 0;
}

function row(summary: Summary, name: string | undefined, windowMs: Milliseconds, withBounds: boolean): string[] {
  const duration = metricOf(summary, 'http_req_duration', name);
  const requests = requestsOf(summary, name);
  const errors = metricOf(summary, 'http_req_failed', name)?.values.rate;
  return [
    name?.replace(/\p{Cc}+/gu, ' ') ?? 'all requests',
    formatCount(requests),
    rateText(requests, windowMs),
    requests === 0 || errors === undefined ? '–' : formatValue(errors, '%'),
    ...percentiles.map((stat) => (duration === undefined || requests === 0 ? '–' : percentile(duration, stat, withBounds))),
  ];
}

/** The requests that have no row of their own, where some have: their latency is nobody's. */
function restRow(summary: Summary, shown: readonly string[], windowMs: Milliseconds): string[][] {
  const without = (read: (name?: string) => number) => read() - shown.reduce((sum, name) => sum + read(name), 0);
  const requests = without((name) => requestsOf(summary, name));
  if (shown.length === 0 || requests <= 0) return [];
  const unknown = (name?: string) => (requestsOf(summary, name) === 0 ? 0 : Number.NaN);
  const failed = without((name) => metricOf(summary, 'http_req_failed', name)?.values.passes ?? unknown(name));
  const errors = Number.isNaN(failed) ? '–' : formatValue(failed / requests, '%');
  return [['other requests', formatCount(requests), rateText(requests, windowMs), errors, ...percentiles.map(() => '–')]];
}

/** Nothing where there is no window. */
function rateText(requests: number, windowMs: Milliseconds): string {
  return windowMs > 0 ? formatRate(requests / (windowMs / 1000)) : '';
}

function percentile(metric: SummaryMetric, stat: string, withBounds: boolean): string {
  const measured = readStat(metric, stat);
  if (measured === undefined) return '–';
  const { value, low, high } = measured;
  const text = `${milliseconds(value)} ms`;
  if (!withBounds || high - low <= tellingWidth * Math.abs(value)) return text;
  const [from, to] = [low, high].map(milliseconds);
  return from === to ? text : `${text} (${from}–${to})`;
}

/** Three figures or a little more: 0.75, 12.3, 1,234. */
function milliseconds(value: number): string {
  return value >= 100 ? formatCount(value) : trimNumber(value, value >= 10 ? 1 : 2);
}
