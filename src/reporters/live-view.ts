import type { EndpointSample, LiveLatency, LoggedEvent } from '../core/events.js';
import type { ServerSample } from '../core/monitors.js';
import { formatCount } from '../core/quantities.js';
import { formatValue } from '../metrics/limit-text.js';
import { errorShare, liveLine, liveRate } from './sentences/live-line.js';
import { serversLine } from './sentences/servers-line.js';
import { counted } from './sentences/words.js';
import { type Column, renderTable, type TableStyle } from './table.js';
import { inParts, textWidth } from './width.js';

type Sample = Extract<LoggedEvent, { type: 'fleet-sampled' }>;

/** How a live view is drawn: on how many columns and lines. */
export interface LiveStyle extends TableStyle {
  readonly width: number;
  readonly height: number;
}

const indent = '  ';
const barWidth = 20;
const columns: readonly Column[] = [
  { title: 'endpoint' },
  ...['requests', 'req/s', 'errors', 'p95'].map((title): Column => ({ title, align: 'right' })),
];

/**
 * A second of the load: the whole fleet, then its busiest endpoints. It takes less than half of the screen: made narrower, a
 * terminal breaks lines in two, and what leaves its upper edge then cannot be taken away any more.
 */
export function liveView(sample: Sample, servers: readonly ServerSample[], style: LiveStyle): string[] {
  const room = Math.max(1, style.width - indent.length - 1);
  const most = Math.floor(style.height / 2) - 1;
  const said = [
    withBar(sample, room, style),
    [...latencyOf(sample), counted(sample.runnersReporting, 'runner')].join(' · '),
    ...(servers.length === 0 ? [] : [serversLine(servers)]),
  ];
  const whole = broken(said, room, most);
  return [...whole.map((line) => indent + line), ...endpointLines(sample, most - whole.length, style)];
}

/** Lines that are too long go on in further ones, as long as there are at most so many in all; then they end where a part of theirs ends. */
function broken(lines: readonly string[], room: number, most: number): string[] {
  let spare = Math.max(0, most - lines.length);
  return lines.flatMap((line) => {
    const shown = inParts(line, room).slice(0, 1 + spare);
    spare -= shown.length - 1;
    return shown;
  });
}

/** How far the load is behind a bar, where there is room for one. */
function withBar(sample: Sample, room: number, { paint }: LiveStyle): string {
  const line = liveLine(sample, []);
  if (textWidth(line) + barWidth + 1 > room) return line;
  const share = sample.totalMs > 0 ? Math.min(1, sample.elapsedMs / sample.totalMs) : 0;
  const full = Math.round(share * barWidth);
  return `${'█'.repeat(full)}${paint.faint('░'.repeat(barWidth - full))} ${line}`;
}

function latencyOf({ latency }: { latency?: LiveLatency }): string[] {
  if (latency === undefined) return [];
  return (['p50', 'p95', 'p99'] as const).map((percentile) => `${percentile} ${formatValue(latency[percentile].value, 'ms')}`);
}

/** A table of at most `lines` lines; endpoints that have no line of their own are counted in the last one. */
function endpointLines({ endpoints = [], endpointsInAll = endpoints.length }: Sample, lines: number, style: LiveStyle): string[] {
  const rows = lines - 1;
  const shown = endpointsInAll <= rows ? endpoints : endpoints.slice(0, Math.max(0, rows - 1));
  if (shown.length === 0) return [];
  const table = renderTable(columns, shown.map(endpointRow), { ...style, width: style.width - 1 });
  const left = endpointsInAll - shown.length;
  return left > 0 ? [...table, indent + style.paint.faint(`… and ${formatCount(left)} more`)] : table;
}

function endpointRow({ name, requests, requestsPerSecond, failedRequests, latency }: EndpointSample): string[] {
  return [
    name.replace(/\p{Cc}+/gu, ' '),
    formatCount(requests),
    `${liveRate(requestsPerSecond)}/s`,
    `${formatCount(failedRequests)}${errorShare(failedRequests, requests)}`,
    latency === undefined ? '–' : formatValue(latency.p95.value, 'ms'),
  ];
}
