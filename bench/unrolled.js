// How far percentiles of InfluxDB's family `k6` at weight 1 are from those of the samples: log-normal delays (sigma 0.5), spread evenly
// over the 60 seconds of a simulated minute, through the histograms that k6 pushes. Prints in how many of so many minutes they are
// within 1%. Usage: npm run build && node bench/unrolled.js [minutes 300]
import { bucketsOf } from '../dist/metrics/native-histogram.js';
import { firstPosition, unroll } from '../dist/metrics/unroll.js';
import { printTable } from './support/table.js';

const [minutes = 300] = process.argv.slice(2).map(Number);
const stats = [0.5, 0.9, 0.95];

const rows = [['requests in the minute', ...stats.map((p) => `p${100 * p}`)]];
for (const requests of [3000, 6000, 20_000]) {
  const within = stats.map(() => 0);
  for (let minute = 0; minute < minutes; minute++) {
    const { told, truth } = simulated(requests);
    for (const [at, p] of stats.entries()) if (Math.abs(quantile(told, p) / quantile(truth, p) - 1) < 0.01) within[at] += 1;
  }
  rows.push([requests, ...within.map((count) => `${((100 * count) / minutes).toFixed(0)}%`)]);
}
printTable(rows);

function simulated(requests) {
  const seconds = Array.from({ length: 60 }, () => Array.from({ length: Math.round(requests / 60) }, delay));
  const told = seconds.flatMap((values, second) => unroll(bucketsOf(histogramOf(values), 1), 1, firstPosition(1, second)));
  return { told: told.sort((a, b) => a - b), truth: seconds.flat().sort((a, b) => a - b) };
}

function delay() {
  return 0.05 * Math.exp(0.5 * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
}

/** Eight buckets to a doubling, as k6 has them. */
function histogramOf(values) {
  const positive = new Map();
  for (const value of values) {
    const index = Math.ceil(Math.log2(value) * 8);
    positive.set(index, (positive.get(index) ?? 0) + 1);
  }
  return { count: values.length, sum: values.reduce((sum, value) => sum + value, 0), zeroCount: 0, positive, negative: new Map() };
}

/** Between two samples, as k6 reads it. */
function quantile(sorted, p) {
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + ((sorted[low + 1] ?? sorted[low]) - sorted[low]) * (at - low);
}
