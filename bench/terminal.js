// What the full view costs: writes the log of a run with 30 endpoints in the terminal's own time, a second each second, attaches to it in a
// terminal (util-linux' script) as `--view full`, `short` and `lines`, and reads the CPU time of the attached process off /proc (Linux).
// Target: under 3% of a core with the full view. Usage: node bench/terminal.js [--seconds 30] [--columns 200] [--rows 60]
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuSeconds, makeRun } from './support/made-run.js';

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    columns: { type: 'string', default: '200' },
    rows: { type: 'string', default: '60' },
  },
});
const seconds = Number(flags.seconds);
const warmUp = 15;
const endpoints = 30;
const target = 0.03;
const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));

const shares = {};
for (const view of ['full', 'short', 'lines']) {
  const { share, bytes } = await costOf(view);
  shares[view] = share;
  console.log(`${view.padEnd(5)}  ${percent(share)} of a core, ${(bytes / 1000).toFixed(1)} kB a second to the terminal`);
}
console.log(`\n${shares.full < target ? 'reached' : 'NOT reached'}: the full view under ${percent(target)} of a core`);
process.exitCode = shares.full < target ? 0 : 1;

async function costOf(view) {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  const log = makeRun(join(folder, '.loadctl', 'runs', '20260102-030405-abcde'), 2, firstEvents());
  const command = `stty cols ${flags.columns} rows ${flags.rows}; exec '${process.execPath}' '${bin}' attach --view ${view}`;
  const terminal = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { ...process.env, SHELL: '/bin/sh', TERM: 'xterm-256color', LANG: 'C.UTF-8', CI: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => terminal.once('exit', resolve));
  let bytes = 0;
  terminal.stdout.on('data', (piece) => {
    bytes += piece.length;
  });
  try {
    const begun = performance.now();
    let before;
    for (let second = 1; second <= warmUp + seconds; second += 1) {
      appendFileSync(log, secondAt(second));
      await sleep(Math.max(0, begun + second * 1000 - performance.now()));
      if (second === warmUp) before = { used: attachedTo(terminal), bytes, at: performance.now() };
    }
    const lasted = (performance.now() - before.at) / 1000;
    return { share: (attachedTo(terminal) - before.used) / lasted, bytes: (bytes - before.bytes) / lasted };
  } finally {
    terminal.stdin.write('\x03');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  }
}

function attachedTo({ pid }) {
  return cpuSeconds(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

function firstEvents() {
  const runners = Array.from({ length: 4 }, (_, at) => ({
    type: 'runner-started',
    runner: at + 1,
    host: `host-${at}`,
    segment: `${at}/4`,
  }));
  const shares = Object.fromEntries(Array.from({ length: endpoints }, (_, at) => [nameOf(at), 1 / endpoints]));
  return [...runners, { type: 'fleet-released', runners: 4, shares }];
}

function nameOf(at) {
  return `GET /things/part-${'abcdefghijklmnopqrstuvwxyzABCD'[at]}/list`;
}

/** The events of a second of a load: no number is as it was the second before. */
function secondAt(second) {
  const jitter = (of, at = 0) => of * (1 + ((second * 7 + at * 13) % 17) / 40);
  const exactly = (value) => ({ value, low: value * 0.957, high: value * 1.043 });
  const percentilesAt = (at) => ({ p50: jitter(12.25, at), p95: jitter(48.5, at), p99: jitter(131.125, at) });
  const latency = Object.fromEntries(Object.entries(percentilesAt(0)).map(([name, value]) => [name, exactly(value)]));
  const recentAt = (at) => ({ requests: Math.round(jitter(400 - at, at)), failedRequests: second % 5, ...percentilesAt(at) });
  const sample = {
    type: 'fleet-sampled',
    elapsedMs: second * 1000,
    totalMs: 7_200_000,
    vus: 1000,
    requests: second * 1000,
    requestsPerSecond: jitter(1000),
    failedRequests: second * 50,
    iterations: second * 800,
    runnersReporting: 4,
    latency,
    endpoints: Array.from({ length: endpoints }, (_, at) => ({
      name: nameOf(at),
      requests: second * (40 - at),
      requestsPerSecond: 40 - at,
      failedRequests: second,
      latency,
      recent: recentAt(at),
    })),
    endpointsInAll: endpoints,
    second: percentilesAt(3),
    recent: { overMs: 10_000, ...recentAt(0) },
    scenarios: ['browse', 'buy', 'pay'].map((name, at) => ({ name, ...recentAt(at) })),
  };
  const limit = (name, stat, of) => ({
    name,
    source: 'client',
    metric: 'http_req_duration',
    stat,
    operator: '<',
    limit: of,
    unit: 'ms',
    window: 'test',
  });
  const limits = [limit('p50', 'p(50)', 20), limit('p95', 'p(95)', 60), limit('p99', 'p(99)', 100)].map((of, at) => ({
    limit: of,
    value: jitter(of.limit, at),
    outcome: jitter(1, at) > 1.2 ? 'fail' : 'pass',
  }));
  const cpu = { ...limit('cpu', 'avg', 0.8), source: 'server', metric: 'cpu', unit: '%' };
  const samples = [{ limit: cpu, value: jitter(0.3), holds: true, monitor: 'db', source: '10.0.0.1:9100', everyMs: 1000 }];
  return lines(second * 1000, [
    { type: 'health-probed', good: true, status: 200, elapsedMs: 3 },
    sample,
    { type: 'servers-sampled', samples },
    { type: 'limits-sampled', limits },
  ]);
}

function lines(t, events) {
  return events.map((event) => `${JSON.stringify({ at: 1_767_323_045_000 + t, t, ...event })}\n`).join('');
}

function percent(share) {
  return `${(share * 100).toFixed(1)}%`;
}
