import type { LoggedEvent } from '../../core/events.js';
import { formatCount, formatDuration, type PerSecond, trimNumber } from '../../core/quantities.js';
import { formatValue } from '../../metrics/limit-text.js';
import { counted } from './words.js';

/** One second of the load on one line: `32s/1m · 100 VUs · 125 requests/s · 2 errors (0.05%) · p95 12 ms`. */
export function liveLine(event: Extract<LoggedEvent, { type: 'fleet-sampled' }>, more = p95Of(event)): string {
  const { elapsedMs, totalMs, vus, requests, requestsPerSecond, failedRequests } = event;
  const time = `${wholeSeconds(elapsedMs)}/${formatDuration(totalMs)}`;
  const rate = `${liveRate(requestsPerSecond)} requests/s`;
  const errors = `${counted(failedRequests, 'error')}${errorShare(failedRequests, requests)}`;
  return [time, counted(vus, 'VU'), rate, errors, ...more].join(' · ');
}

function p95Of({ latency }: Extract<LoggedEvent, { type: 'fleet-sampled' }>): string[] {
  return latency === undefined ? [] : [`p95 ${formatValue(latency.p95.value, 'ms')}`];
}

/** A rate of one second: more figures would only flicker. */
export function liveRate(perSecond: PerSecond): string {
  return perSecond < 10 ? trimNumber(perSecond, 1) : formatCount(perSecond);
}

/** The share of requests that failed, behind their number and as a verdict says it: ` (0.05%)`; nothing where none did. */
export function errorShare(failed: number, requests: number): string {
  return requests > 0 && failed > 0 ? ` (${formatValue(failed / requests, '%')})` : '';
}

function wholeSeconds(ms: number): string {
  return formatDuration(Math.max(1000, Math.round(ms / 1000) * 1000));
}
