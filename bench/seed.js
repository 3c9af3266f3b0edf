// Rows a second of `loadctl seed`, from its look to its proof at the default pause, against psql's \copy of the same rows into the
// same table (two unique indexes, as in examples/reservations/schema.sql), in turn; how long an application waits at most beside it;
// and the most memory that loadctl takes, for these rows and for ten times as many (0: only these):
//   node bench/seed.js [rows] [pairs] [shards] [times]
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../dist/examples/servers/postgres.js';
import { peakMemory, psqlPath, sql } from './support/postgres.js';

const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));
const table =
  'CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE NOT NULL, name text NOT NULL); CREATE TABLE hits (id int PRIMARY KEY, count int); INSERT INTO hits VALUES (1, 0)';
const [rows = 1_000_000, pairs = 5, shards = 1, times = 10] = process.argv.slice(2).map(Number);

await psqlPath();
const server = await startPostgres({ shards, durable: true });
const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
try {
  for (const url of server.shards) sql(url, table);
  writeProfile(rows);
  const files = await writeRows();
  console.log(`${rows.toLocaleString('en-US')} rows into ${shards === 1 ? 'one Postgres' : `${shards} shards of one Postgres`}, in turn`);
  // A server that was never written to makes each 16 MB of its log anew while every COMMIT waits; one in use has some to use again.
  await copyAll(files);
  empty();
  await seedByLoadctl();
  const ratios = { copying: [], whole: [] };
  for (let pair = 1; pair <= pairs; pair += 1) {
    empty();
    const copy = await timed(() => copyAll(files));
    empty();
    const seed = await seedByLoadctl();
    ratios.copying.push(copy / seed.copyingMs);
    ratios.whole.push(copy / seed.wholeMs);
    const perSecond = (ms) => `${Math.round((rows / ms) * 1000).toLocaleString('en-US')} rows/s`;
    console.log(
      `  ${pair}: \\copy ${perSecond(copy)}, loadctl ${perSecond(seed.copyingMs)} (the whole command ${perSecond(seed.wholeMs)}), ` +
        `ratio ${(copy / seed.copyingMs).toFixed(3)} (${(copy / seed.wholeMs).toFixed(3)}), peak ${seed.peak.toFixed(0)} MB`,
    );
  }
  console.log(`  median ratio: ${median(ratios.copying).toFixed(3)}, of the whole command ${median(ratios.whole).toFixed(3)}`);
  for (let pair = 1; pair <= pairs; pair += 1) {
    empty();
    const alone = await waits(() => new Promise((resolve) => setTimeout(resolve, 3000)));
    const copying = await waits(() => copyAll(files));
    empty();
    const seeding = await waits(seedByLoadctl);
    console.log(`  ${pair}: an application waits ${inMs(alone)} alone, ${inMs(copying)} beside \\copy, ${inMs(seeding)} beside loadctl`);
  }
  if (times > 0) await compareMemory();
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** What loadctl keeps of what it wrote must not grow with it. */
async function compareMemory() {
  const peaks = [];
  for (const count of [rows, rows * times]) {
    empty();
    writeProfile(count);
    peaks.push((await seedByLoadctl()).peak);
  }
  const [few, many] = peaks.map((peak) => `${peak.toFixed(0)} MB`);
  const inWords = (count) => `${count.toLocaleString('en-US')} rows`;
  console.log(`  the most memory of loadctl: ${few} for ${inWords(rows)}, ${many} for ${inWords(rows * times)}`);
}

function writeProfile(count) {
  const store = shards === 1 ? `url: "${server.shards[0]}"` : `shards: ${JSON.stringify(server.shards)}, shardBy: id % ${shards}`;
  mkdirSync(join(folder, 'profiles'), { recursive: true });
  writeFileSync(join(folder, 'script.js'), 'export default () => {};\n');
  writeFileSync(
    join(folder, 'profiles', 'bench.yaml'),
    `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\nstores: {db: {kind: postgres, ${store}}}\n` +
      `seed: {users: {table: db.users, rows: ${count}, columns: {id: "user-{n}", email: "user{n}@test.com", name: "Test User {n}"}}}\n`,
  );
}

async function writeRows() {
  const files = Array.from({ length: shards }, (_, shard) => join(folder, `rows${shard}`));
  const streams = files.map((file) => createWriteStream(file));
  for (let n = 1; n <= rows; n += 1) {
    const stream = streams[n % shards];
    if (!stream.write(`user-${n}\tuser${n}@test.com\tTest User ${n}\n`)) await new Promise((resolve) => stream.once('drain', resolve));
  }
  for (const stream of streams) stream.end();
  await Promise.all(streams.map((stream) => finished(stream)));
  return files;
}

/** Empties the tables, and lets the server write what it owes: that must not count for what comes next. */
function empty() {
  for (const url of server.shards) sql(url, 'TRUNCATE users', 'CHECKPOINT');
}

async function timed(work) {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function copyAll(files) {
  return Promise.all(server.shards.map((url, shard) => copyByPsql(url, files[shard])));
}

function copyByPsql(url, file) {
  const child = spawn('psql', ['-X', '-q', '-c', `\\copy users from '${file}'`, url], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`psql: ${code}`)))));
}

async function seedByLoadctl() {
  let peak = 0;
  let said = '';
  const wholeMs = await timed(
    () =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [bin, 'seed', '--env', 'bench', '--json', '--quiet'], {
          cwd: folder,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const watch = setInterval(() => {
          peak = Math.max(peak, peakMemory(child.pid));
        }, 50);
        child.stdout.on('data', (part) => {
          said += part;
        });
        child.once('close', (code) => {
          clearInterval(watch);
          if (code === 0) resolve();
          else reject(new Error(`loadctl: ${code}`));
        });
      }),
  );
  const { stores } = JSON.parse(said);
  return { wholeMs, copyingMs: Math.max(...stores.map(({ elapsedMs }) => elapsedMs)), peak };
}

/** How long each write of an application took while `work` went on. */
async function waits(work) {
  const application = fork(fileURLToPath(new URL('./support/application.js', import.meta.url)), [server.shards[0]]);
  await once(application, 'message');
  await work();
  application.send('stop');
  const [took] = await once(application, 'message');
  return took;
}

function inMs(took) {
  return `${median(took).toFixed(1)} ms (at most ${Math.max(...took).toFixed(0)} ms)`;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
