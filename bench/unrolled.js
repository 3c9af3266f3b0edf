// How far mean and percentiles of InfluxDB's family `k6` are from those of the samples: simulated minutes of services, spread evenly over
// 60 seconds, through histograms as k6 pushes them. Prints the usual error (root of the mean square) and the largest of so many
// minutes. Last, what unrolling 10,000 requests a second to 50 endpoints costs, all eight trends of each and their lines.
// Usage: npm run build && node bench/unrolled.js [minutes 100] [weight 1] [requests a minute, by commas 60,3000,6000,20000,100000]
import { trendPoints } from '../dist/metrics/trend-points.js';
import { pointsOfNumbers } from '../dist/outputs/influxdb/of-numbers.js';
import { printTable } from './support/table.js';

const [minutes = '100', weight = '1', rates = '60,3000,6000,20000,100000'] = process.argv.slice(2);

/** Each makes a service: where it lies in its buckets is another one each minute. */
const services = {
  'log-normal, sigma 0.25': () => logNormal(somewhere(0.05), 0.25),
  'log-normal, sigma 0.5': () => logNormal(somewhere(0.05), 0.5),
  'log-normal, sigma 1': () => logNormal(somewhere(0.05), 1),
  'log-normal, sigma 0.1': () => logNormal(somewhere(0.05), 0.1),
  'log-normal, sigma 0.05': () => logNormal(somewhere(0.05), 0.05),
  'one of fifty 8 times slower': () => either(0.98, logNormal(somewhere(0.05), 0.5), logNormal(somewhere(0.4), 0.5)),
  'always the same': () => constant(somewhere(0.05), 0.001),
  'the same within 1%': () => constant(somewhere(0.05), 0.01),
  'around a limit of buckets': () => constant(2 ** (-34 / 8) * 0.995, 0.01),
  'one of two times': () => either(0.6, constant(somewhere(0.05), 0.001), constant(somewhere(0.2), 0.001)),
  'the same but 3%': () => either(0.97, constant(somewhere(0.05), 0.002), logNormal(0.3, 0.7)),
};

const rows = [['service', 'requests in the minute', 'mean', 'p50', 'p90', 'p95']];
for (const [name, service] of Object.entries(services))
  for (const requests of rates.split(',').map(Number)) {
    const errors = Array.from({ length: Number(minutes) }, () => errorsOf(service(), requests));
    rows.push([name, requests, ...[0, 1, 2, 3].map((at) => usualAndLargest(errors.map((each) => each[at])))]);
  }
printTable(rows);
for (const each of [1, 17]) console.log(`10,000 requests a second at weight ${each}: ${cores(each).toFixed(3)} of a core`);

function errorsOf(delay, requests) {
  const points = trendPoints(Number(weight), 1);
  const series = growing();
  const truth = [];
  const told = [];
  for (let second = 1; second <= 60; second++) {
    for (; truth.length < Math.floor((requests * second) / 60); truth.push(series.last)) series.take(delay());
    told.push(...points(series));
  }
  const mean = Math.abs(meanOf(told) / meanOf(truth) - 1);
  for (const list of [told, truth]) list.sort((a, b) => a - b);
  return [mean, ...[0.5, 0.9, 0.95].map((p) => Math.abs(quantile(told, p) / quantile(truth, p) - 1))];
}

/** All samples so far, eight buckets to a doubling as k6 has them. */
function growing() {
  const positive = new Map();
  return {
    count: 0,
    sum: 0,
    zeroCount: 0,
    positive,
    negative: new Map(),
    take(value) {
      const index = Math.ceil(Math.log2(value) * 8);
      positive.set(index, (positive.get(index) ?? 0) + 1);
      this.count += 1;
      this.sum += value;
      this.last = value;
    },
  };
}

function cores(each) {
  const trends = ['duration', 'waiting', 'sending', 'receiving', 'blocked', 'connecting', 'tls_handshaking'].map(
    (part) => `http_req_${part}_seconds`,
  );
  const series = Array.from({ length: 50 }, (_, endpoint) =>
    [...trends, 'iteration_duration_seconds'].map((name) => {
      const state = { tags: { name: `GET /${endpoint}` }, isTrend: true, count: 0, passes: 0, counted: 0, last: [], histogram: growing() };
      return { name, state };
    }),
  ).flat();
  const pointsOf = pointsOfNumbers(each);
  const delay = logNormal(0.05, 0.5);
  const seconds = 20;
  let micros = 0;
  for (let second = 0; second < seconds; second++) {
    for (const { state } of series) for (let request = 0; request < 200; request++) state.histogram.take(delay());
    const before = process.cpuUsage();
    pointsOf({ series: () => series }, 1.8e12 + 1000 * second, 'run');
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
  }
  return micros / seconds / 1e6;
}

function logNormal(median, sigma) {
  return () => median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
}

function constant(from, spread) {
  return () => from * (1 + spread * Math.random());
}

function either(share, usual, other) {
  return () => (Math.random() < share ? usual() : other());
}

/** From this on, up to a bucket further. */
function somewhere(from) {
  return from * 2 ** (Math.random() / 8);
}

function usualAndLargest(errors) {
  const usual = Math.sqrt(meanOf(errors.map((error) => error * error)));
  return [usual, Math.max(...errors)].map((error) => `${(100 * error).toFixed(2)}%`).join(' ');
}

function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Between two samples, as k6 reads it. */
function quantile(sorted, p) {
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + ((sorted[low + 1] ?? sorted[low]) - sorted[low]) * (at - low);
}
