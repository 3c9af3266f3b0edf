// What outputs cost: node --expose-gc bench/outputs.js [pairs] [seconds] [rate] [minutes], as in: node --expose-gc bench/outputs.js 5 10 2000 30
// Loads with and without them in turn, at a rate below what the machine can make; the sinks are one process that takes everything at
// once. Prints requests/s (target: 0.97 of those without) and the CPU time of loadctl itself (target: less than 0.3 cores more). Then
// the same outputs over a simulated half hour of 50 endpoints at that rate, which need not be one that the machine can make: their
// memory (target: minute 30 within 10% of minute 5), and their CPU time a simulated second (target: less than 0.3 s). Pairs or minutes
// of 0 leave a part out: node --expose-gc bench/outputs.js 0 0 10000 30
// At last, where asked for, a load of so many real minutes with all outputs, and the least memory that loadctl had in each of them:
// node bench/outputs.js 0 0 200 0 30
import { fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openRedactor } from '../dist/core/redactor.js';
import { pushReader } from '../dist/k6/remote-write/wire.js';
import { fleetSecond, fleetTotals, nothingYet } from '../dist/metrics/fleet-second.js';
import { liveNumbers } from '../dist/metrics/live-numbers.js';
import { deliver } from '../dist/outputs/delivery/deliver.js';
import { openOutput } from '../dist/outputs/index.js';
import { pushBody } from './support/push-body.js';
import { printTable } from './support/table.js';

const targets = { ratio: 0.97, cores: 0.3, memory: 1.1 };
const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));
const [pairs = 5, seconds = 10, rate = 2000, minutes = 30, realMinutes = 0] = process.argv.slice(2).map(Number);
const ending = [];
const trends = ['duration', 'blocked', 'connecting', 'tls_handshaking', 'sending', 'waiting', 'receiving'];

try {
  const sink = `http://127.0.0.1:${await started(new URL('support/sink.js', import.meta.url))}`;
  const good = [pairs === 0 || (await loads(sink)), minutes === 0 || (await memory(sink)), realMinutes === 0 || (await soak(sink))];
  process.exitCode = good.every(Boolean) ? 0 : 1;
} finally {
  for (const end of ending.reverse()) await end();
}

/** Starts a process of the bench; the port it listens on. */
async function started(program) {
  const child = fork(fileURLToPath(program), ['127.0.0.1'], { detached: true });
  ending.push(() => child.disconnect());
  return (await new Promise((resolve) => child.once('message', resolve))).port;
}

function outputsTo(sink) {
  return {
    influx: { kind: 'influxdb', url: sink, families: ['loadctl', 'k6'], maxPoints: 5000 },
    prom: { kind: 'prometheus', url: `${sink}/api/v1/write`, histograms: 'native', stats: [], every: 1000 },
    hook: { kind: 'webhook', url: `${sink}/hook`, on: ['started', 'breach', 'recovered', 'passed', 'failed', 'invalid'] },
    graf: { kind: 'grafana', url: sink, token: 't', dashboard: 'loadctl' },
  };
}

async function loads(sink) {
  const folder = await writeTest(sink, seconds);
  console.log(`${rate} requests/s by 50 names for ${seconds} s, ${pairs} times in turn`);
  const results = { none: [], all: [] };
  for (let pair = 0; pair < pairs; pair += 1) {
    // Every other time the other way round: what a load leaves to the next one goes to both alike.
    const order = ['none', 'all'];
    for (const way of pair % 2 === 0 ? order : order.reverse()) results[way].push(await measure(folder, way));
  }
  return report(results);
}

/** A folder with two environments that make the same load: one without outputs, one with all of them. */
async function writeTest(sink, duration) {
  const port = await started(new URL('support/target.js', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  ending.push(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'profiles'));
  writeFileSync(
    join(folder, 'script.js'),
    `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/work/' + (__ITER % 50), { tags: { name: 'GET /work/' + (__ITER % 50) } }); };\n`,
  );
  const profile = `target: {url: "http://127.0.0.1:${port}"}\nworkload: {script: ../script.js, vus: 50, rate: ${rate}/s, duration: ${duration}s}\n`;
  const { prom, ...others } = outputsTo(sink);
  writeFileSync(join(folder, 'profiles', 'none.yaml'), profile);
  writeFileSync(
    join(folder, 'profiles', 'all.yaml'),
    `${profile}outputs: ${JSON.stringify({ ...others, prom: { ...prom, every: '1s' } })}\n`,
  );
  return folder;
}

/** A load in real time. What a process has falls as it collects: the least of a minute is what it needs. */
async function soak(sink) {
  const child = spawn(process.execPath, [bin, 'run', '--env', 'all', '--quiet'], {
    cwd: await writeTest(sink, realMinutes * 60),
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const begun = Date.now();
  const least = [];
  const timer = setInterval(() => {
    const minute = Math.floor((Date.now() - begun) / 60_000);
    const bytes = memoryOf(child.pid);
    if (minute < realMinutes && bytes > 0) least[minute] = Math.min(least[minute] ?? bytes, bytes);
  }, 200);
  const code = await ended;
  clearInterval(timer);
  if (code !== 0 && code !== 111) throw new Error(`loadctl ended with ${code}`);
  console.log(`50 endpoints, ${rate} requests/s, ${realMinutes} minutes\n\nminute   least memory MB`);
  for (const [at, bytes] of least.entries())
    if (at % 5 === 4) console.log(`${String(at + 1).padStart(6)} ${(bytes / 1e6).toFixed(1).padStart(17)}`);
  const ratio = least.at(-1) / least[4];
  console.log(`the last minute is ${ratio.toFixed(3)} of the fifth (target: ${targets.memory})`);
  return ratio <= targets.memory;
}

/** What a process has in memory, in bytes; 0 once it is gone. */
function memoryOf(pid) {
  try {
    const [, kilobytes] = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return 1024 * Number(kilobytes);
  } catch {
    return 0;
  }
}

/** A load of its own, and what it and loadctl came to. */
async function measure(folder, environment) {
  const child = spawn(process.execPath, [bin, 'run', '--env', environment, '--quiet'], { cwd: folder, stdio: 'ignore' });
  const cpu = { seconds: 0 };
  const timer = setInterval(() => Object.assign(cpu, cpuOf(child.pid)), 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (code !== 0 && code !== 111) throw new Error(`loadctl ended with ${code}`);
  const runs = join(folder, '.loadctl', 'runs');
  const { http_reqs: requests } = JSON.parse(readFileSync(join(runs, readdirSync(runs).sort().at(-1), 'summary.json'), 'utf8')).metrics;
  return { rate: requests.values.rate, cpu: cpu.seconds };
}

/** What the process itself used so far, without those that it started. */
function cpuOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { seconds: (Number(fields[11]) + Number(fields[12])) / 100 };
  } catch {
    return {}; // it is gone
  }
}

function report({ none, all }) {
  const middle = (results, what) => medianOf(results.map((one) => one[what]));
  const row = (name, results) => [name, `${middle(results, 'rate').toFixed(1)}/s`, `${middle(results, 'cpu').toFixed(2)} s`];
  printTable([['outputs', 'requests', 'CPU of loadctl'], row('none', none), row('all', all)]);
  const ratios = all.map(({ rate: with_ }, pair) => with_ / none[pair].rate);
  const cores = medianOf(all.map(({ cpu }, pair) => (cpu - none[pair].cpu) / seconds));
  console.log(`requests/s with them, of those without: median ${medianOf(ratios).toFixed(3)} (target: ${targets.ratio})`);
  console.log(`CPU of loadctl more: ${cores.toFixed(3)} cores (target: ${targets.cores})\n`);
  return medianOf(ratios) >= targets.ratio && cores < targets.cores;
}

function medianOf(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[at] : (sorted[at - 1] + sorted[at]) / 2;
}

/** Every second of it goes through the real outputs to the sink; only the clock that the numbers are stamped with is simulated. */
async function memory(sink) {
  if (globalThis.gc === undefined) throw new Error('start it with node --expose-gc');
  let nowMs = 0;
  const clock = {
    stamp: () => 1_700_000_000_000 + nowMs,
    elapsed: () => nowMs,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  };
  const context = { label: 'loadctl/bench', environment: 'bench', clock, redact: openRedactor(), requestsPerSecond: rate };
  const outputs = Object.entries(outputsTo(sink)).map(([name, planned]) => openOutput({ name, ...planned }, context));
  const ways = outputs.map((output) => ({
    output,
    delivery: deliver(output, { clock, tell: ({ is, why }) => console.log(`  ${is}: ${why}`) }),
  }));
  const over = new AbortController();
  const going = ways.map(({ delivery }) => delivery.run(over.signal));
  const hear = (event) => {
    for (const { output, delivery } of ways) delivery.put(output.heard?.({ ...event, at: clock.stamp(), t: nowMs }) ?? []);
  };
  hear({ type: 'run-opened', run: 'bench', directory: '/', planHash: 'h' });
  const heaps = [];
  const used = { user: 0, system: 0 };
  const sampled = Math.max(1, Math.round(minutes / 6)) * 60;
  const [numbers, reader] = [liveNumbers(), pushReader()];
  let before = nothingYet;
  console.log(`50 endpoints, ${rate} requests/s, ${minutes} simulated minutes\n\nminute   heap MB`);
  for (let second = 1; second <= minutes * 60; second += 1) {
    nowMs = second * 1000;
    numbers.take('1', reader.read(pushBody(seriesAt(second), clock.stamp())));
    const now = fleetTotals(numbers, nowMs);
    const { line } = fleetSecond(now, before, { totalMs: minutes * 60_000, runnersReporting: 1 });
    before = now;
    const stamp = { at: clock.stamp(), t: nowMs };
    const begun = process.cpuUsage();
    for (const { output, delivery } of ways) {
      delivery.put(output.kept?.({ file: 'timeseries', line: { ...line, ...stamp } }) ?? []);
      delivery.put(output.counted?.(numbers, stamp) ?? []);
    }
    while (ways.some(({ delivery }) => delivery.rest().length > 0)) await sleep(1);
    const { user, system } = process.cpuUsage(begun);
    used.user += user;
    used.system += system;
    if (second % sampled === 0) heaps.push(heapAt(second / 60));
  }
  over.abort();
  await Promise.all(going);
  const ratio = heaps.at(-1) / heaps[0];
  console.log(`\nlast over first: ${ratio.toFixed(3)} (target: at most ${targets.memory})`);
  const cores = (used.user + used.system) / 1e6 / (minutes * 60);
  console.log(`CPU of the outputs: ${cores.toFixed(3)} cores (target: ${targets.cores})`);
  return ratio <= targets.memory && cores < targets.cores && ways.every(({ delivery }) => delivery.lost() === 0);
}

function heapAt(minute) {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed } = process.memoryUsage();
  console.log(`${String(minute).padStart(6)} ${(heapUsed / 1e6).toFixed(1).padStart(9)}`);
  return heapUsed;
}

/** 50 endpoints with the same share of the rate each, as k6 pushes them. */
function seriesAt(second) {
  const tags = (at) => ({
    k6_feature_native_histograms: 'true',
    method: 'GET',
    name: `GET /things/${at}`,
    status: '200',
    scenario: 'default',
  });
  const count = second * Math.round(rate / 50);
  return [
    ...Array.from({ length: 50 }, (_, at) => at).flatMap((at) => [
      ...trends.map((trend) => ({ name: `k6_http_req_${trend}_seconds`, tags: tags(at), value: { histogram: count } })),
      { name: 'k6_http_reqs_total', tags: tags(at), value: { number: count } },
      { name: 'k6_http_req_failed_rate', tags: tags(at), value: { number: 0 } },
    ]),
    { name: 'k6_vus', tags: {}, value: { number: 100 } },
    { name: 'k6_iterations_total', tags: { scenario: 'default' }, value: { number: count * 50 } },
  ];
}
