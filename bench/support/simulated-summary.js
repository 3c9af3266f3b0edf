import { summaryTrendStats } from '../../dist/metrics/quantile-grid.js';

const trends = ['duration', 'blocked', 'connecting', 'tls_handshaking', 'sending', 'waiting', 'receiving'];

/** A summary of about 300 kB as k6 exports one, with seven Trends; `"BEGAN"` stands where the first iteration's time goes. */
export function simulatedSummary(seed) {
  const random = randomFrom(seed + 1);
  const gauge = (value) => ({ value, min: value, max: value });
  const metrics = Object.fromEntries(trends.map((name) => [`http_req_${name}`, trend(random)]));
  const summary = {
    root_group: { name: '', path: '', id: 'd41d8cd98f00b204e9800998ecf8427e', groups: {}, checks: {} },
    metrics: {
      ...metrics,
      http_reqs: { count: 36_000, rate: 600 },
      http_req_failed: { passes: 12, fails: 35_988, value: 0.0003 },
      iterations: { count: 3600, rate: 60 },
      vus: gauge(60),
      vus_max: gauge(60),
      loadctl_begin: gauge('BEGAN'),
    },
  };
  return JSON.stringify(summary, null, 4).replaceAll('"BEGAN"', (_, at, text) => (text.slice(0, at).endsWith('"min": ') ? '"BEGAN"' : '0'));
}

function trend(random) {
  const samples = Array.from({ length: 2000 }, () => 2 - 8 * Math.log(1 - random())).sort((a, b) => a - b);
  const at = (level) => samples[Math.min(samples.length - 1, Math.floor((level / 100) * samples.length))];
  const exact = {
    count: samples.length,
    min: samples[0],
    max: samples.at(-1),
    avg: samples.reduce((sum, one) => sum + one, 0) / samples.length,
    med: at(50),
  };
  return Object.fromEntries(summaryTrendStats().map((stat) => [stat, exact[stat] ?? at(Number(stat.slice(2, -1)))]));
}

/** The same numbers for the same seed. */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
