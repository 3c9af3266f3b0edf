import type { Criterion } from '../core/criterion.js';
import { baseName } from './metric-key.js';
import type { SummaryMetric } from './summary.js';

/** k6's own rates: one without samples says that nothing was checked or asked, not that nothing failed. */
const ownRates: readonly string[] = ['checks', 'http_req_failed', 'browser_http_req_failed'];

type Limit = Pick<Criterion, 'operator' | 'limit'>;

/**
 * Whether the script's own Rate was never added to, under an upper limit: it adds what goes wrong, and nothing did. A lower
 * limit wants samples.
 */
export function isNeverAddedTo(key: string, { type, values }: SummaryMetric, { operator, limit }: Limit): boolean {
  if (type !== 'rate' || values.rate !== undefined || ownRates.includes(baseName(key))) return false;
  return operator === '<' || operator === '<=' || (operator.startsWith('==') && limit === 0);
}

/** Whether no value of such a metric can break the limit, as `max>=0`: it is there to show a sub-metric, as k6 has no other way. */
export function cannotFail({ type }: Pick<SummaryMetric, 'type'>, { operator, limit }: Limit): boolean {
  const below = operator === '>=' ? limit <= 0 : operator === '>' && limit < 0;
  const above = operator === '<=' ? limit >= 1 : operator === '<' && limit > 1;
  return below || (type === 'rate' && above);
}
