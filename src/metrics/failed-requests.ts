import type { LiveNumbers } from './live-numbers.js';
import { subMetricKey } from './metric-key.js';
import type { FailedRequests } from './summary.js';
import { windowKey } from './window.js';

/** As many as a summary names. */
const most = 20;

/** The failed requests of the judged window by name and status, most often first, as far as the runners pushed them. */
export function failedRequests(numbers: Pick<LiveNumbers, 'totalsBy'>, tagged: boolean): FailedRequests[] {
  const metric = tagged ? windowKey('http_req_failed') : 'http_req_failed';
  const found = [...numbers.totalsBy('name', metric)].flatMap(([name, total]) => {
    if (total.kind !== 'rate' || total.passes === 0) return [];
    const ofName = tagged ? windowKey(subMetricKey('http_req_failed', { name })) : subMetricKey('http_req_failed', { name });
    return [...numbers.totalsBy('status', ofName)].flatMap(([status, { kind, ...counted }]) =>
      kind === 'rate' && 'passes' in counted && counted.passes > 0 ? [{ name, status: Number(status), count: counted.passes }] : [],
    );
  });
  return found.sort((a, b) => b.count - a.count).slice(0, most);
}
