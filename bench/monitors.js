// What 20 monitors cost: node bench/monitors.js [pairs] [seconds] [rate], as in: node bench/monitors.js 5 10 300
// Loads with and without them in turn, at a rate well below what the machine can make (on a full one the servers that are looked at
// take CPU from the load, whoever looks at them). A rate of 0 is no rate: 20 VUs ask as fast as they can, and the machine is full. Prints requests/s (target: 0.97 of those without), p95, and the CPU time of loadctl
// itself, which is the number without noise. A third load has one monitor only, `here: [target]`, whose single look is timed as well.
import { fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../dist/examples/servers/postgres.js';
import { startRedis } from '../dist/examples/servers/redis.js';
import { processesProbes } from '../dist/monitors/host/processes.js';
import { printTable } from './support/table.js';

const least = 0.97;
const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));
const [pairs = 5, seconds = 10, rate = 300] = process.argv.slice(2).map(Number);
const ending = [];

try {
  await main();
} finally {
  for (const end of ending.reverse()) await end();
}

async function main() {
  const target = fork(fileURLToPath(new URL('support/target.js', import.meta.url)), ['127.0.0.1'], { detached: true });
  ending.push(() => target.disconnect());
  const { port } = await new Promise((resolve) => target.once('message', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  ending.push(() => rmSync(folder, { recursive: true, force: true }));
  const { stores, monitors } = await twentyMonitors();
  const ways = {
    none: stores,
    all: [
      stores,
      'monitors:',
      ...monitors,
      'critical: {cpu: <= 100%, memory: <= 100%, dbConnections: <= 100%, queueDepth: < 100000}\n',
    ].join('\n'),
    'here: [target]': `${stores}\nmonitors: {app: {kind: host, here: [target]}}\ncritical: {cpu: <= 100%}\n`,
  };
  writeFileSync(join(folder, 'script.js'), `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/work'); };\n`);
  mkdirSync(join(folder, 'profiles'));
  const names = Object.keys(ways);
  for (const [index, words] of Object.values(ways).entries())
    writeFileSync(join(folder, 'profiles', `way${index}.yaml`), profileOf(port, words));
  await timeLooks(port);
  console.log(
    `\n${monitors.length} monitors, ${rate > 0 ? `${rate} requests/s` : 'as many requests as the machine can make'} for ${seconds} s, ${pairs} times in turn`,
  );
  const results = names.map(() => []);
  for (let pair = 0; pair < pairs; pair += 1) {
    // Every other time the other way round: what a load leaves to the next one goes to all alike.
    const order = names.map((_, index) => index);
    for (const index of pair % 2 === 0 ? order : order.reverse()) results[index].push(await measure(folder, `way${index}`));
  }
  report(names, results);
}

function profileOf(port, words) {
  return `target: {url: "http://127.0.0.1:${port}"}
workload: {script: ../script.js, vus: 20, ${rate > 0 ? `rate: ${rate}/s, ` : ''}duration: ${seconds}s}
${words}`;
}

/** Real servers on this machine, each looked at once a second. */
async function twentyMonitors() {
  const [db, ...caches] = await Promise.all([startPostgres({ shards: 4 }), startRedis(), startRedis(), startRedis()]);
  for (const { stop } of [db, ...caches]) ending.push(stop);
  const page = createServer((_, response) => response.end('{"messages_ready": 3}'));
  await new Promise((resolve) => page.listen(0, '127.0.0.1', resolve));
  ending.push(() => page.close());
  page.unref();
  const url = `http://127.0.0.1:${page.address().port}`;
  const of = (name, words) => `  ${name}: {${words}}`;
  const stores = ['stores:', of('db', `kind: postgres, url: "${db.url}"`)];
  stores.push(...[0, 1].map((index) => of(`cache${index}`, `kind: redis, url: "${caches[index].url}"`)));
  const monitors = [
    ...db.shards.map((shard, index) => of(`shard${index}`, `kind: postgres, url: "${shard}"`)),
    ...[1, 2, 3, 4].map((index) => of(`rows${index}`, `kind: queue, store: db, table: pg_class, where: "relkind = 'i'"`)),
    ...caches.map((cache, index) => of(`redis${index}`, `kind: redis, url: "${cache.url}"`)),
    ...[0, 1].map((index) => of(`list${index}`, `kind: queue, store: cache${index}, list: jobs`)),
    ...[1, 2, 3, 4, 5].map((index) => of(`page${index}`, `kind: queue, url: "${url}", jsonPath: $.messages_ready`)),
    of('machine', 'kind: host, here: true'),
    of('app', 'kind: host, here: [target]'),
  ];
  return { stores: stores.join('\n'), monitors };
}

/** A load of its own, and what it and loadctl came to. */
async function measure(folder, environment) {
  const child = spawn(process.execPath, [bin, 'run', '--env', environment, '--quiet'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const cpu = { seconds: 0 };
  const timer = setInterval(() => Object.assign(cpu, cpuOf(child.pid)), 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  // A full machine is no fault here: what it makes is what is compared.
  if (code !== 0 && !(rate === 0 && code === 111)) throw new Error(`loadctl ended with ${code}: ${said}`);
  const runs = join(folder, '.loadctl', 'runs');
  const run = join(runs, readdirSync(runs).sort().at(-1));
  const { http_reqs: requests, http_req_duration: duration } = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8')).metrics;
  return { rate: requests.values.rate, p95: duration.values['p(95)'], cpu: cpu.seconds };
}

/** What the process itself used so far, without those that it started. */
function cpuOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    return { seconds: (Number(user) + Number(system)) / 100 };
  } catch {
    return {}; // it is gone
  }
}

/** One look at the processes of a place: the first finds out who listens there, the others know it. */
async function timeLooks(port) {
  const clock = { elapsed: () => performance.now() };
  const [probe] = processesProbes([{ name: 'target', host: '127.0.0.1', port: String(port) }], { clock });
  const times = [];
  for (let look = 0; look < 50; look += 1) {
    const begun = performance.now();
    await probe.look();
    times.push(performance.now() - begun);
  }
  const [first, ...others] = times;
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
  console.log(
    `here: [target] among ${processes} processes: ${first.toFixed(1)} ms for the first look, ${medianOf(others).toFixed(1)} ms for each other`,
  );
}

function report(names, results) {
  const middle = (index, what) => medianOf(results[index].map((one) => one[what]));
  const rows = names.map((name, index) => [
    name,
    `${middle(index, 'rate').toFixed(1)}/s`,
    `${middle(index, 'p95').toFixed(1)} ms`,
    `${middle(index, 'cpu').toFixed(2)} s`,
  ]);
  printTable([['monitors', 'requests', 'p95', 'CPU of loadctl'], ...rows]);
  const ratios = results[1].map(({ rate: with20 }, pair) => with20 / results[0][pair].rate).sort((a, b) => a - b);
  console.log(
    `requests/s with them, of those without: ${ratios.map((ratio) => ratio.toFixed(3)).join(' ')}; the median is ${medianOf(ratios).toFixed(3)} (target: ${least})`,
  );
  process.exitCode = medianOf(ratios) >= least ? 0 : 1;
}

function medianOf(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[at] : (sorted[at - 1] + sorted[at]) / 2;
}
