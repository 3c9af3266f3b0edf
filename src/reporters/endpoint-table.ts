import { formatCount, type Milliseconds, trimNumber } from '../core/quantities.js';
import { readStat } from '../metrics/evaluate.js';
import { formatValue } from '../metrics/limit-text.js';
import { parseMetricName } from '../metrics/metric-key.js';
import type { Summary, SummaryMetric } from '../metrics/summary.js';
import { findInWindow, windowTag } from '../metrics/window.js';
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
  const table = (withBounds: boolean, within: TableStyle) => {
    const all = row(summary, undefined, windowMs, withBounds);
    const rows = endpointNames(summary).map((name) => row(summary, name, windowMs, withBounds));
    return rows.length === 0 && all[1] === '0' ? [] : renderTable(columns, [...rows, all], within);
  };
  const full = table(true, { paint: style.paint });
  return linesWidth(full) <= (style.width ?? Number.POSITIVE_INFINITY) ? full : table(false, style);
}

/** The `name` tags that the summary tells apart, in its order. */
function endpointNames({ metrics }: Summary): string[] {
  const names = Object.keys(metrics).flatMap((key) => {
    const parsed = parseMetricName(key);
    if ('error' in parsed || parsed.tags === undefined || parsed.name !== 'http_req_duration') return [];
    const tags = Object.fromEntries(parsed.tags);
    const others = Object.keys(tags).filter((tag) => tag !== 'name' && tag !== windowTag.tag);
    return tags.name === undefined || others.length > 0 ? [] : [tags.name];
  });
  return [...new Set(names)];
}

function row({ metrics }: Summary, name: string | undefined, windowMs: Milliseconds, withBounds: boolean): string[] {
  const metric = (base: string): SummaryMetric | undefined => {
    return findInWindow(metrics, name === undefined ? base : `${base}{name:${name}}`);
  };
  const duration = metric('http_req_duration');
  const requests = metric('http_reqs')?.values.count ?? duration?.values.count ?? 0;
  const errors = metric('http_req_failed')?.values.rate;
  return [
    name ?? 'all requests',
    formatCount(requests),
    windowMs > 0 ? formatRate(requests / (windowMs / 1000)) : '',
    requests === 0 || errors === undefined ? '–' : formatValue(errors, '%'),
    ...percentiles.map((stat) => (duration === undefined || requests === 0 ? '–' : percentile(duration, stat, withBounds))),
  ];
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
