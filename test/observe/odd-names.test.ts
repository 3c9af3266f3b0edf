import { expect, test } from 'vitest';
import { hasInflux, startInflux } from '../servers/influxdb.js';
import { hasPrometheus, startReceiver } from '../servers/prometheus-receiver.js';
import { fleetPlace, type KeptEvent } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

/** Metrics that are called as k6 calls others on the wire, and tags that an InfluxDB takes for its own or cannot write. */
const script = `import { Gauge } from 'k6/metrics';
const orders = new Counter('orders');
const [queue, hits] = [new Gauge('queue_total'), new Gauge('hit_rate')];
const [job, payload] = [new Trend('job_seconds'), new Trend('payload_bytes')];
export const options = { tags: { time: 't', value: 'v', le: '7', __name__: 'evil', testid: 'mine', ' ': 'blank', 'a\\nb': '1', 'a b': '2' } };
export default () => {
  http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } });
  orders.add(1);
  queue.add(exec.vu.idInTest * 10);
  hits.add(0.25);
  job.add(2.5);
  payload.add(1000);
  sleep(0.1);
};
`;

test.skipIf(!hasInflux() || !hasPrometheus())('metrics and tags of odd names are what the script says, everywhere', async () => {
  const [influx, prometheus, target] = await Promise.all([startInflux(), startReceiver(['native-histograms']), startTarget()]);
  const profile = `sla: {p95: < 10s}
outputs:
  influx: {kind: influxdb, url: "${influx.url}", families: [loadctl, k6], weight: 1}
  prom: {kind: prometheus, url: "${prometheus.url}/api/v1/write", every: 1s, stats: [avg]}`;
  const at = fleetPlace(target, { workload: 'vus: 2, duration: 2s', script, profile });
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(at.events().filter(({ code }: KeptEvent) => code?.startsWith('output-'))).toEqual([]);

  const { metrics } = at.summary();
  const count = (name: string) => metrics[name]?.values.count ?? Number.NaN;
  const stored = async (what: string, measurement: string) =>
    Number((await influx.ask(`SELECT ${what}(value) AS value FROM ${measurement}`))[0]?.value ?? Number.NaN);
  expect([await stored('sum', 'http_reqs'), await stored('sum', 'orders')]).toEqual([count('http_reqs'), count('orders')]);
  expect([await stored('max', 'queue_total'), await stored('max', 'hit_rate')]).toEqual([20, 0.25]);
  expect(Math.abs((await stored('mean', 'job_seconds')) / 2.5 - 1)).toBeLessThan(0.05);
  expect(Math.abs((await stored('mean', 'payload_bytes')) / 1000 - 1)).toBeLessThan(0.05);
  const tags = (await influx.ask('SHOW TAG KEYS FROM orders')).map(({ tagKey }) => tagKey);
  expect(tags).toEqual(['a b', 'le', 'scenario', 'testid', 'time_', 'value']);

  const seen = async (query: string) => (await prometheus.ask(`max_over_time(${query}[1m])`)).map(({ value }) => Number(value?.[1]));
  expect([await seen('k6_queue_total'), await seen('k6_hit_rate')]).toEqual([[20], [0.25]]);
  expect([await seen('k6_job_seconds_avg'), await seen('k6_payload_bytes_avg')]).toEqual([[2.5], [1000]]);
  expect(await seen('k6_orders_total')).toEqual([count('orders')]);
});
