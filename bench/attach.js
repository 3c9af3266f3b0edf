// What `loadctl attach` costs beside an hour-long run: writes the log of 3,600 seconds with 50 endpoints, attaches to it, goes on
// writing a second's events each second, and reads the CPU time of the attached process off /proc (Linux).
// Target: under 2% of a core. Usage: node bench/attach.js [--seconds 20] [--loadctl FOLDER: another checkout's, --layout 1: its version]
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, makeRun } from './support/made-run.js';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    loadctl: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    layout: { type: 'string', default: '2' },
  },
});
const seconds = Number(flags.seconds);
const past = 3600;
const endpoints = 50;
const target = 0.02;

const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
const log = makeRun(join(folder, '.loadctl', 'runs', '20260102-030405-abcde'), Number(flags.layout), [
  { type: 'fleet-released', runners: 2 },
]);
for (let second = 1; second <= past; second += 1) appendFileSync(log, secondAt(second));
console.log(
  `the log: ${past} s, ${endpoints} endpoints, ${(statSync(log).size / 1e6).toFixed(1)} MB; one more second each second, for ${seconds} s`,
);
const child = spawn(process.execPath, [join(flags.loadctl, 'bin/loadctl.js'), 'attach'], {
  cwd: folder,
  stdio: ['ignore', 'ignore', 'pipe'],
});
const gone = new Promise((resolve) => child.once('exit', resolve));
try {
  await measure();
} finally {
  child.kill('SIGINT');
  await gone;
  rmSync(folder, { recursive: true, force: true });
}

async function measure() {
  await said(/requests\/s/);
  const [caughtUp, begun] = [cpuSeconds(child.pid), performance.now()];
  for (let second = 1; second <= seconds; second += 1) {
    appendFileSync(log, secondAt(past + second));
    await sleep(begun + second * 1000 - performance.now());
  }
  const used = cpuSeconds(child.pid) - caughtUp;
  const share = used / ((performance.now() - begun) / 1000);
  console.log(`to start and catch up: ${caughtUp.toFixed(2)} s of CPU`);
  console.log(`beside the run: ${used.toFixed(2)} s of CPU in ${seconds} s: ${(share * 100).toFixed(1)}% of a core`);
  console.log(`\n${share < target ? 'reached' : 'NOT reached'}: under ${target * 100}% of a core`);
  process.exitCode = share < target ? 0 : 1;
}

function said(what) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (piece) => {
      text += piece;
      if (what.test(text)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`attach ended with ${code}: ${text}`)));
    setTimeout(() => reject(new Error(`attach showed no second of the load: ${text}`)), 30_000).unref();
  });
}

/** The events of a second of a load: one health probe, one sample with the 30 busiest of 50 endpoints. */
function secondAt(second) {
  const at = { at: 1_767_323_045_000 + second * 1000, t: second * 1000 };
  const exactly = (value) => ({ value, low: value * 0.957, high: value * 1.043 });
  const latency = { p50: exactly(12.25 + (second % 7)), p95: exactly(48.5 + (second % 11)), p99: exactly(131.125 + (second % 13)) };
  const endpointAt = (index) => ({
    name: `GET /things/${index}/parts`,
    requests: second * (40 - index),
    requestsPerSecond: 40 - index,
    failedRequests: second,
    latency,
  });
  const sample = {
    type: 'fleet-sampled',
    elapsedMs: second * 1000,
    totalMs: 7_200_000,
    vus: 1000,
    requests: second * 1000,
    requestsPerSecond: 1000,
    failedRequests: second * endpoints,
    iterations: second * 800,
    runnersReporting: 2,
    latency,
    endpoints: Array.from({ length: 30 }, (_, index) => endpointAt(index)),
    endpointsInAll: endpoints,
  };
  const probe = { type: 'health-probed', good: true, status: 200, elapsedMs: 3 };
  return [probe, sample].map((event) => `${JSON.stringify({ ...at, ...event })}\n`).join('');
}
