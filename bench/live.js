// How true the live view is, and how soon it acts: node bench/live.js [runs]
// The live p95 of the last second against the final one (target: within 5%), with two runners of which one is three times as
// slow; and how long the load goes on after the fleet crossed an abortOnFail threshold, by the target's own count (target: 3 s).
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const runs = Number(process.argv[2] ?? 3);
const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));
const targets = { deviation: 0.05, abortMs: 3000 };
const failedAllowed = 0.1;
const healthyMs = 4000;

const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
mkdirSync(join(folder, 'profiles'));
try {
  const deviations = [];
  const latencies = [];
  for (let run = 1; run <= runs; run += 1) deviations.push(await liveDeviation());
  for (let run = 1; run <= runs; run += 1) latencies.push(await abortMs());
  const [worst, slowest] = [Math.max(...deviations), Math.max(...latencies)];
  console.log(`\nlive p95 off by ${percent(worst)} at most (target: ${percent(targets.deviation)})`);
  console.log(`load off ${slowest} ms after the threshold was crossed at most (target: ${targets.abortMs} ms)`);
  process.exitCode = worst < targets.deviation && slowest < targets.abortMs ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function liveDeviation() {
  const slow = (url) => (url === '/slow' ? 3 : 1);
  const answer = ({ url }, response) => setTimeout(() => response.end('{}'), slow(url) * (5 - 8 * Math.log(1 - Math.random())));
  const script = `import http from 'k6/http';
const path = __ENV.LOADCTL_RUNNER === '2' ? '/slow' : '/fast';
export default () => { http.get(__ENV.BASE_URL + path); };`;
  const directory = await loaded(answer, script, ', vus: 16, duration: 12s');
  const final = JSON.parse(readFileSync(join(directory, 'summary.json'), 'utf8')).metrics.http_req_duration.values['p(95)'];
  const live = samplesIn(directory).map(({ latency }) => latency.p95.value);
  const off = (value) => Math.abs(value - final) / final;
  const early = percent(Math.max(...live.slice(3).map(off)));
  console.log(
    `p95 ${final.toFixed(1)} ms in the end, ${live.at(-1).toFixed(1)} live: ${percent(off(live.at(-1)))} off; from 4 s on ${early} at most`,
  );
  return off(live.at(-1));
}

/** From 4 s on every request fails: how long it takes from the moment that too many have until the last request. */
async function abortMs() {
  const seen = { begunAt: undefined, crossedAt: undefined, lastAt: undefined, total: 0, failed: 0 };
  const answer = (request, response) => {
    if (request.url !== '/work') return response.end('{}');
    const now = Date.now();
    seen.begunAt ??= now;
    seen.lastAt = now;
    seen.total += 1;
    const bad = now - seen.begunAt > healthyMs;
    if (bad) seen.failed += 1;
    if (seen.failed / seen.total >= failedAllowed) seen.crossedAt ??= now;
    response.writeHead(bad ? 500 : 200).end('{}');
  };
  const script = `import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 8, duration: '30s', thresholds: { http_req_failed: [{ threshold: 'rate<${failedAllowed}', abortOnFail: true }] } };
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };`;
  await loaded(answer, script, '');
  const took = seen.lastAt - seen.crossedAt;
  console.log(
    `${percent(failedAllowed)} failed requests were crossed ${seen.crossedAt - seen.begunAt} ms into the load; its last request came ${took} ms later`,
  );
  return took;
}

/** Runs loadctl against a server that answers so; the run's directory. */
async function loaded(answer, script, load) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  writeFileSync(join(folder, 'script.js'), script);
  writeFileSync(
    join(folder, 'profiles', 'dev.yaml'),
    `target: {url: "${url}"}\nworkload: {script: ../script.js${load}}\nrunners: {count: 2}\n`,
  );
  const child = spawn(process.execPath, [bin, 'run', '--env', 'dev', '--quiet'], { cwd: folder, stdio: 'ignore' });
  await new Promise((resolve) => child.once('close', resolve));
  server.close();
  const all = join(folder, '.loadctl', 'runs');
  return join(all, readdirSync(all).sort().at(-1));
}

function samplesIn(directory) {
  const lines = readFileSync(join(directory, 'events.ndjson'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line)).filter(({ type, latency }) => type === 'fleet-sampled' && latency !== undefined);
}

function percent(share) {
  return `${(share * 100).toFixed(1)}%`;
}
