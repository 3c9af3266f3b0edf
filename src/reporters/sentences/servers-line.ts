import type { ServerSample } from '../../core/monitors.js';
import { formatValue } from '../../metrics/limit-text.js';

/** What the limits for the servers stand at, on one line: `cpu 34% · dbConnections 93% (db 127.0.0.1:5432/shop) broken`. */
export function serversLine(samples: readonly ServerSample[]): string {
  return samples.map(sampleText).join(' · ');
}

function sampleText({ limit, value, holds, monitor, source }: ServerSample): string {
  const said = `${limit.name} ${formatValue(value, limit.unit, holds ? undefined : limit.limit)}`;
  // An abort rule says what must not be.
  const isBroken = limit.operator.startsWith('>') ? false : !holds;
  return isBroken ? `${said} broken (${source === undefined ? monitor : `${monitor} ${source}`})` : said;
}
