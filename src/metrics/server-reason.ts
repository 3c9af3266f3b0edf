import type { Criterion } from '../core/criterion.js';
import type { Monitored } from '../core/monitors.js';
import type { ServerOutcome } from './criterion.js';
import { formatLimit, formatValue } from './limit-text.js';

/** What a verdict says of a limit for the servers: `cpu 93% (limit < 80%), avg of app, 127.0.0.1`. */
export function serverReason(criterion: Criterion, { outcome, measured, monitored, missing }: ServerOutcome): string {
  const { name, unit, limit } = criterion;
  const said = `limit ${formatLimit(criterion)}`;
  if (measured === undefined || monitored === undefined)
    return `${name} ${outcome === 'no-data' ? 'has no data' : 'was not measured'}: ${missing ?? 'no monitor gives it'} (${said}).`;
  const but = missing === undefined ? '' : `; ${missing}`;
  return `${name} ${formatValue(measured.value, unit, limit)} (${said}), ${monitoredText(monitored)}${but}.`;
}

/** How a limit was measured: `max of db, 127.0.0.1:5432/shop`. */
export function monitoredText({ monitor, source, stat }: Monitored): string {
  return `${stat} of ${monitor}${source === undefined ? '' : `, ${source}`}`;
}
