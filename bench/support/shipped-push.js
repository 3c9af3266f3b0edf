import { pushBody } from './push-body.js';

/** As the shipped workload pushes: ten series for each endpoint, and what has no endpoint. */
export const endpoints = [
  'GET /reservations',
  'GET /events',
  'GET /healthz',
  'GET /queue/status',
  'POST /reservations',
  'POST /payments',
  'PUT /seats',
];
const trends = ['duration', 'blocked', 'connecting', 'tls_handshaking', 'sending', 'waiting', 'receiving'];
/** Requests of each endpoint a second. */
export const perSecond = 20;

/** The 80 series of one runner in a second of its load, packed. */
export function shippedPush(second) {
  const at = 1_700_000_000_000 + second * 1000;
  const series = [];
  const add = (name, tags, value) => series.push({ name, tags, value });
  for (const name of endpoints) {
    const tags = {
      expected_response: 'true',
      k6_feature_native_histograms: 'true',
      method: name.split(' ')[0],
      name,
      part: 'steady',
      proto: 'HTTP/1.1',
      scenario: 'default',
      status: '200',
      url: name,
    };
    for (const trend of trends) add(`k6_http_req_${trend}_seconds`, tags, { histogram: second * perSecond });
    add('k6_http_reqs_total', tags, { number: second * perSecond });
    add('k6_http_req_failed_rate', tags, { number: 0.05 });
    add('k6_checks_rate', { check: `${name} is good`, part: 'steady', scenario: 'default' }, { number: 0.95 });
  }
  const own = { k6_feature_native_histograms: 'true', part: 'steady', scenario: 'default' };
  for (const name of ['iterations', 'data_sent', 'data_received']) add(`k6_${name}_total`, own, { number: second * 100 });
  for (const name of ['vus', 'vus_max']) add(`k6_${name}`, {}, { number: 60 });
  for (const name of ['iteration_duration', 'group_duration', 'checkout', 'login', 'search'])
    add(`k6_${name}_seconds`, own, { histogram: second * 100 });
  return pushBody(series, at);
}
