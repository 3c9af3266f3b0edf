// What seeding a cache costs beside writing it blindly: 100,000 entries into a single Redis and into a cluster of three on
// loopback, by `loadctl seed` (check, write where absent, read back) and by ioredis pipelines of 500 SETs, in turn.
// Usage: npm run build && node bench/redis-seed.js [entries 100000] [turns 5]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cluster, Redis } from 'ioredis';
import { startRedis } from '../dist/examples/servers/redis.js';
import { startRedisCluster } from '../dist/examples/servers/redis-cluster.js';
import { slotOf } from '../dist/stores/redis/cluster/slots.js';

const [entries = 100_000, turns = 5] = process.argv.slice(2).map(Number);
const here = fileURLToPath(import.meta.url);
const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));
const job = process.env.BENCH_JOB && JSON.parse(process.env.BENCH_JOB);

if (job) await writePlainly(job);
else await measureAll();

async function measureAll() {
  console.log(`${entries} entries, ${turns} turns, medians\n`);
  console.log('where              plain writer        loadctl seed   ratio   seed again   ratio   peak memory of loadctl');
  const single = await startRedis();
  const cluster = await startRedisCluster({ replicas: false });
  try {
    const servers = new Redis(single.url);
    await measure('single Redis', { url: single.url }, () => servers.flushall());
    servers.disconnect();
    const words = { cluster: cluster.primaries.map(({ address }) => address) };
    await measure('cluster of three', words, () => cluster.ask('FLUSHALL'));
  } finally {
    await Promise.all([single.stop(), cluster.stop()]);
  }
}

async function measure(name, where, empty) {
  const measured = { plain: [], seeded: [], again: [], memory: [] };
  for (let turn = 0; turn <= turns; turn++) {
    await empty();
    const plain = await run(process.execPath, [here], { BENCH_JOB: JSON.stringify({ where, entries }) });
    await empty();
    const seeded = await seed(where);
    const again = await seed(where);
    if (turn === 0) continue; // warms the machine up
    measured.plain.push(JSON.parse(plain.stdout).perSecond);
    measured.seeded.push(seeded.perSecond);
    measured.again.push(again.perSecond);
    measured.memory.push(seeded.memory, again.memory);
  }
  const [plain, seeded, again] = [measured.plain, measured.seeded, measured.again].map(median);
  const rate = (value) => `${Math.round(value).toLocaleString('en-US')}/s`;
  const cells = [
    rate(plain).padStart(12),
    rate(seeded).padStart(19),
    (seeded / plain).toFixed(2).padStart(7),
    rate(again).padStart(12),
    (again / plain).toFixed(2).padStart(7),
    `${Math.max(...measured.memory)} MB`.padStart(14),
  ];
  console.log(`${name.padEnd(18)} ${cells.join(' ')}`);
}

/** Seeds by the command itself; its own clock, without starting Node. */
async function seed(where) {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  const profile = {
    target: { url: 'http://127.0.0.1:1' },
    workload: { script: './script.js' },
    stores: { cache: { kind: 'redis', ...where } },
    seed: { users: { key: 'cache/user:user-{n}', rows: entries, value: { id: 'user-{n}', name: 'Test User {n}' }, ttl: '1h' } },
  };
  writeFileSync(join(folder, 'profile.yaml'), JSON.stringify(profile));
  writeFileSync(join(folder, 'script.js'), 'export default () => {};\n');
  try {
    const { stdout, memory } = await run(process.execPath, [bin, 'seed', '--profile', join(folder, 'profile.yaml'), '--json']);
    const [{ created, alreadyThere, rowsPerSecond }] = JSON.parse(stdout).stores;
    if (created + alreadyThere !== entries) throw new Error(`seeded ${created} and ${alreadyThere} of ${entries}`);
    return { perSecond: rowsPerSecond, memory };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a program to its end, and reads the most memory that it ever had (Linux). */
function run(file, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) child[stream].on('data', (data) => (said[stream] += data));
    let memory = 0;
    const watch = setInterval(() => (memory = peakMemory(child.pid) ?? memory), 20);
    child.on('close', (code) => {
      clearInterval(watch);
      if (code === 0) resolve({ ...said, memory });
      else reject(new Error(`${args.join(' ')} exited ${code}: ${said.stderr}`));
    });
  });
}

function peakMemory(pid) {
  try {
    const [, kilobytes] = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes && Math.round(Number(kilobytes) / 1024);
  } catch {
    return undefined;
  }
}

/** The same entries, set blindly: what is there is overwritten, and nobody looks whether they arrived. */
async function writePlainly({ where, entries: count }) {
  const client = where.url ? new Redis(where.url) : new Cluster(where.cluster);
  const homeOf = where.url ? () => 0 : await homes(client);
  await client.ping();
  const begun = performance.now();
  const open = new Map();
  for (let n = 1; n <= count; n++) {
    const key = `user:user-${n}`;
    const home = homeOf(key);
    const pipeline = open.get(home) ?? client.pipeline();
    open.set(home, pipeline);
    pipeline.set(key, JSON.stringify({ id: `user-${n}`, name: `Test User ${n}` }), 'PX', 3_600_000);
    if (pipeline.length < 500) continue;
    await pipeline.exec();
    open.delete(home);
  }
  await Promise.all([...open.values()].map((pipeline) => pipeline.exec()));
  console.log(JSON.stringify({ perSecond: count / ((performance.now() - begun) / 1000) }));
  client.disconnect();
}

/** Which node a key is dealt to: a pipeline of ioredis goes to one. */
async function homes(cluster) {
  const ranges = await cluster.cluster('SLOTS');
  return (key) => ranges.findIndex(([from, to]) => from <= slotOf(key) && slotOf(key) <= to);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
