import type { Contains, MetricType } from './summary.js';

/** What a metric of k6 is called when it is pushed: `http_reqs` is `http_reqs_total`, `http_req_duration` `…_seconds`. */
export interface WireForm {
  readonly suffix: string;
  readonly type: MetricType;
  /** What the name says the metric contains. */
  readonly contains: Contains;
  /** The metric's unit in the pushed one: k6 pushes times in seconds. */
  readonly scale: number;
}

/** Every form, those with a suffix first (k6: internal/output/prometheusrw/remotewrite, MapPrompb). */
export const wireForms: readonly WireForm[] = [
  { suffix: '_total', type: 'counter', contains: 'default', scale: 1 },
  { suffix: '_rate', type: 'rate', contains: 'default', scale: 1 },
  { suffix: '_seconds', type: 'trend', contains: 'time', scale: 1000 },
  { suffix: '_bytes', type: 'trend', contains: 'data', scale: 1 },
  { suffix: '', type: 'trend', contains: 'default', scale: 1 },
  { suffix: '', type: 'gauge', contains: 'default', scale: 1 },
];

const times = ['blocked', 'connecting', 'duration', 'receiving', 'sending', 'tls_handshaking', 'waiting'];
/** What k6 itself measures, as it is called on the wire: no script can have a metric of that name and another kind. */
export const builtInNames: ReadonlySet<string> = new Set([
  ...['http_reqs', 'data_sent', 'data_received', 'iterations', 'dropped_iterations'].map((name) => `${name}_total`),
  ...[...times.map((part) => `http_req_${part}`), 'iteration_duration', 'group_duration'].map((name) => `${name}_seconds`),
  'http_req_failed_rate',
  'checks_rate',
]);

/**
 * The metric that is most likely called so on the wire. The name alone does not always say: a gauge may be called
 * `queue_rate`. Who knows the metric's name asks {@link wireForms} instead, and a WireBook is told by runners.
 */
export function likelyMetric(wireName: string, isTrend: boolean): string {
  return wireName.slice(0, wireName.length - likelyForm(wireName, isTrend).suffix.length);
}

/** The form in which that metric was most likely pushed. */
export function likelyForm(wireName: string, isTrend: boolean): WireForm {
  const form = wireForms.find(({ suffix, type }) => (type === 'trend') === isTrend && wireName.endsWith(suffix));
  return form ?? { suffix: '', type: isTrend ? 'trend' : 'gauge', contains: 'default', scale: 1 };
}
