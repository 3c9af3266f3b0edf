import type { Unit } from '../core/quantities.js';

/** The unit of a stat of one of k6's own metrics; undefined for any other: that is what its limit is written in. */
export function k6Unit(metric: string, stat: string): Unit | undefined {
  const trend = /^(avg|min|max|med|p\()/.test(stat);
  if (trend && /^(http_req_|grpc_req_|ws_(connecting|session)|iteration_duration$|group_duration$)/.test(metric)) return 'ms';
  if (stat === 'rate' && (metric === 'http_req_failed' || metric === 'checks')) return '%';
  if (stat === 'rate' && /^(http_reqs|iterations|dropped_iterations)$/.test(metric)) return '/s';
  return stat === 'count' && /^data_(sent|received)$/.test(metric) ? 'B' : undefined;
}
