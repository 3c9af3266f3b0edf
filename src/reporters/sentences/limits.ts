import type { AbortRule, Criterion } from '../../core/criterion.js';
import { formatDuration } from '../../core/quantities.js';
import { formatLimit } from '../../metrics/limit-text.js';
import { type JudgedMonitor, valuesMeant } from '../../metrics/servers/monitor.js';

/** A limit of a plan: `cpu < 80%`; `p95 cpu < 80%` where its statistic is not the usual one, and how long it must be broken to count. */
export function limitInWords(criterion: Criterion, monitors: readonly JudgedMonitor[]): string {
  const [given] = criterion.source === 'server' ? valuesMeant(criterion.metric, monitors) : [];
  const isUsual = given === undefined || given.value.stat === criterion.stat || criterion.name.startsWith(`${criterion.stat} `);
  const lasting = criterion.for === undefined ? '' : ` for ${formatDuration(criterion.for)}`;
  return `${isUsual ? '' : `${criterion.stat} `}${criterion.name} ${formatLimit(criterion)}${lasting}`;
}

/** An abort rule of a plan: `p95 cpu > 90% for 30s, after 1m`. */
export function ruleInWords({ when, for: lasting, after }: AbortRule): string {
  return `${when.name} ${formatLimit(when)} for ${formatDuration(lasting)}${after === 0 ? '' : `, after ${formatDuration(after)}`}`;
}
