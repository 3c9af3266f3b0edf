import type { Form } from '../form.js';

/** Metrics of all four kinds, and thresholds of all forms. */
export const thresholds: readonly Form[] = [
  { script: 'all-metrics.js', ends: 0 },
  { script: 'thresholds-pass.js', ends: 0 },
  { script: 'thresholds-fail.js', ends: 99 },
  { script: 'threshold-as-string.js', ends: 104 },
  { script: 'empty-thresholds.js', ends: 0 },
  { script: 'delay-as-text.js', ends: 99 },
  { script: 'delay-as-number.js', ends: 99 },
  { script: 'abort-on-fail.js', ends: 99, uncounted: 'metrics and requests' },
  ...['http_req_failed', 'http_req_duration'].map(
    (limit): Form => ({
      script: 'a-name-each.js',
      as: limit,
      ends: 99,
      env: () => ({ LIMIT: limit }),
      uncounted: 'metrics and requests',
      tells: [new RegExp(`ending early: The script's threshold ${limit} .* was crossed`)],
    }),
  ),
  { script: 'never-added-rate.js', ends: 0 },
  { script: 'shown-sub-metric.js', ends: 0 },
  { script: 'zero-counters.js', ends: 0 },
  {
    script: 'no-samples.js',
    ends: 0,
    decided: { code: 99, noData: ['unused', 'checks'], because: 'no data is never a pass (docs/decisions)' },
  },
  { script: 'mistyped-tag.js', ends: 99 },
  { script: 'unknown-metric.js', ends: 104 },
  { script: 'wrong-stat.js', ends: 104 },
  { script: 'two-values.js', ends: 0 },
  { script: 'groups-and-checks.js', ends: 0 },
  { script: 'tags.js', ends: 0 },
];
