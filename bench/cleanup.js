// What `loadctl cleanup` of half a table costs and whom it disturbs, beside one big DELETE of the same rows, in turn:
//   node bench/cleanup.js [rows of the table] [pairs]
// Held against each other are the deletes, rests included. The whole command is printed, too: it starts, locks, counts
// before and after, and waits for late writers (`settle`). The foreground's waits are those from the first line that
// loadctl says: while Node starts it disturbs only who shares a machine with it, as the database does here.
// A foreground client reads and writes single rows of everybody else all the while, 500 times a second at the most.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startPostgres } from '../dist/examples/servers/postgres.js';

const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));
const [rows, pairs] = [Number(process.argv[2] ?? 2_000_000), Number(process.argv[3] ?? 3)];
const everyMs = 2;

const server = await startPostgres({ shards: 1, durable: true });
const [url] = server.shards;
const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
const admin = new pg.Client({ connectionString: url });
await admin.connect();
try {
  mkdirSync(join(folder, 'profiles'));
  writeFileSync(join(folder, 'script.js'), 'export default () => {};\n');
  writeFileSync(
    join(folder, 'profiles', 'bench.yaml'),
    `target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../script.js}\nstores: {db: {kind: postgres, url: "${url}"}}\n` +
      'cleanup: {rows: [{table: db.reservations, column: user_id}]}\nguards: {receipt: off}\n',
  );
  console.log(`${(rows / 2).toLocaleString('en-US')} of ${rows.toLocaleString('en-US')} rows, in turn`);
  const ratios = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const deleted = await measured('one DELETE', () => bigDelete());
    const cleaned = await measured('loadctl cleanup', () => cleanup());
    const rate = deleted.ms / cleaned.deletesMs;
    ratios.push({ rate, whole: deleted.ms / cleaned.ms, waits: cleaned.p99 / cleaned.idleP99, longest: cleaned.longest });
    console.log(`  ${pair}: rate ${rate.toFixed(2)} of one DELETE's`);
  }
  const median = (pick) =>
    ratios
      .map(pick)
      .toSorted((a, b) => a - b)
      [ratios.length >> 1].toFixed(2);
  console.log(
    `median: rate ${median(({ rate }) => rate)} of one DELETE's (the whole command ${median(({ whole }) => whole)}), foreground p99 ${median(({ waits }) => waits)} times idle, ` +
      `longest transaction ${Math.max(...ratios.map(({ longest }) => longest)).toFixed(0)} ms`,
  );
} finally {
  await admin.end();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function fill() {
  await admin.query('DROP TABLE IF EXISTS reservations');
  await admin.query('CREATE TABLE reservations (id bigint PRIMARY KEY, user_id text NOT NULL, note text NOT NULL)');
  await admin.query(
    `INSERT INTO reservations SELECT n, CASE WHEN n % 2 = 0 THEN 'load-test-user-r-' || n ELSE 'user-' || n END, 'a note of some length' FROM generate_series(1, $1::int) n`,
    [rows],
  );
  await admin.query('VACUUM ANALYZE reservations');
  await admin.query('CHECKPOINT');
}

/** Fills the table, looks how long a foreground client waits by itself, then beside `work`; and how long the longest transaction is. */
async function measured(name, work) {
  await fill();
  const [idle, watch] = [foreground(), watchTransactions()];
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const alone = await idle.stop();
  const idleP99 = p99(alone);
  await watch.stop();
  const client = foreground();
  const transactions = watchTransactions();
  const begun = performance.now();
  const { deletesMs, firstLine = begun } = (await work()) ?? {};
  const ms = performance.now() - begun;
  const [latencies, longest] = [await client.stop(firstLine), await transactions.stop()];
  const { rows: left } = await admin.query(`SELECT count(*) FROM reservations WHERE user_id LIKE 'load-test-user-%'`);
  if (Number(left[0].count) !== 0) throw new Error(`${left[0].count} rows are left`);
  const [waits, worst] = [p99(latencies), Math.max(...latencies)];
  console.log(
    `  ${name.padEnd(15)} ${Math.round(rows / 2 / ((deletesMs ?? ms) / 1000)).toLocaleString('en-US')} rows/s, ${(ms / 1000).toFixed(1)} s in all, longest transaction ${longest.toFixed(0)} ms, ` +
      `foreground p99 ${waits.toFixed(2)} ms (idle ${idleP99.toFixed(2)}, ${(waits / idleP99).toFixed(1)} times), worst ${worst.toFixed(0)} ms (idle ${Math.max(...alone).toFixed(0)})`,
  );
  return { ms, deletesMs, p99: waits, idleP99, longest };
}

async function bigDelete() {
  const client = new pg.Client({ connectionString: url, application_name: 'measured' });
  await client.connect();
  await client.query(`DELETE FROM reservations WHERE user_id LIKE 'load-test-user-%'`);
  await client.end();
}

/** Hands back how long the step with the deletes took, in milliseconds, as it is told, and when the first line came. */
function cleanup() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, 'cleanup', '--env', 'bench'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    const marks = {};
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
      for (const mark of ['cleanup bench', 'reservations in db …', 'rows deleted'])
        if (said.includes(mark)) marks[mark] ??= performance.now();
    });
    child.once('close', (code) =>
      code === 0
        ? resolve({ deletesMs: marks['rows deleted'] - marks['reservations in db …'], firstLine: marks['cleanup bench'] })
        : reject(new Error(`loadctl: ${code}\n${said}`)),
    );
  });
}

/** One client that reads a row and writes one, of everybody else; each operation's time in milliseconds. */
function foreground() {
  const latencies = [];
  let going = true;
  const loop = async () => {
    const client = new pg.Client({ connectionString: url, application_name: 'foreground' });
    await client.connect();
    for (let turn = 0; going; turn += 1) {
      const id = 1 + 2 * Math.floor((Math.random() * rows) / 2);
      const begun = performance.now();
      if (turn % 2 === 0) await client.query({ name: 'read', text: 'SELECT note FROM reservations WHERE id = $1', values: [id] });
      else await client.query({ name: 'write', text: `UPDATE reservations SET note = note || '' WHERE id = $1`, values: [id] });
      latencies.push({ begun, ms: performance.now() - begun });
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    await client.end();
  };
  const looping = loop();
  return {
    /** Hands back the times of what began no sooner than `since`. */
    stop: async (since = 0) => {
      going = false;
      await looping;
      return latencies.filter(({ begun }) => begun >= since).map(({ ms }) => ms);
    },
  };
}

/** The longest that a transaction of the measured program was seen to last, looked at every 5 ms. */
function watchTransactions() {
  let going = true;
  let longest = 0;
  const loop = async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const text = `SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) * 1000 AS ms FROM pg_stat_activity
      WHERE xact_start IS NOT NULL AND (application_name LIKE 'loadctl/%' OR application_name = 'measured')`;
    while (going) {
      longest = Math.max(longest, Number((await client.query({ name: 'look', text })).rows[0].ms));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await client.end();
  };
  const looping = loop();
  return {
    stop: async () => {
      going = false;
      await looping;
      return longest;
    },
  };
}

function p99(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0;
}
