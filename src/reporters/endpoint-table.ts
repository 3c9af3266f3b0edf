import type { EndpointNumbers } from '../core/events.js';
import { formatCount, type LiveValue, trimNumber } from '../core/quantities.js';
import type { MeasuredNumbers } from '../metrics/endpoint-numbers.js';
import { formatValue } from '../metrics/limit-text.js';
import { formatRate } from './sentences/words.js';
import { type Column, linesWidth, renderTable, type TableStyle } from './table.js';

const percentiles = ['p50', 'p95', 'p99'] as const;

const columns: readonly Column[] = [
  { title: 'endpoint', wraps: true },
  { title: 'requests', align: 'right' },
  { title: 'req/s', align: 'right' },
  { title: 'errors', align: 'right' },
  ...percentiles.map((title): Column => ({ title, align: 'right' })),
];

/** Bounds wider than this share of their value are shown. */
const tellingWidth = 0.02;

/** Every endpoint by itself, and all together; of the judged window where there is one. A narrow screen gets no bounds. */
export function renderEndpoints({ all, endpoints, other }: MeasuredNumbers, style: TableStyle): string[] {
  if (endpoints.length === 0 && all.requests === 0) return [];
  const table = (withBounds: boolean, within: TableStyle) => {
    const rows = endpoints.map((one) => row(one.name.replace(/\p{Cc}+/gu, ' '), one, withBounds));
    const rest = other === undefined ? [] : [row('other requests', other, withBounds)];
    return renderTable(columns, [...rows, ...rest, row('all requests', all, withBounds)], within);
  };
  const full = table(true, { paint: style.paint });
  return linesWidth(full) <= (style.width ?? Number.POSITIVE_INFINITY) ? full : table(false, style);
}

function row(name: string, { requests, requestsPerSecond, errors, latency }: EndpointNumbers, withBounds: boolean): string[] {
  return [
    name,
    formatCount(requests),
    requestsPerSecond === undefined ? '' : formatRate(requestsPerSecond),
    errors === undefined ? '–' : formatValue(errors, '%'),
    ...percentiles.map((which) => (latency === undefined ? '–' : percentile(latency[which], withBounds))),
  ];
}

function percentile({ value, low, high }: LiveValue, withBounds: boolean): string {
  const text = `${milliseconds(value)} ms`;
  if (!withBounds || high - low <= tellingWidth * Math.abs(value)) return text;
  const [from, to] = [low, high].map(milliseconds);
  return from === to ? text : `${text} (${from}–${to})`;
}

/** Three figures or a little more: 0.75, 12.3, 1,234. */
function milliseconds(value: number): string {
  return value >= 100 ? formatCount(value) : trimNumber(value, value >= 10 ? 1 : 2);
}
