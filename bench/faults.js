// What loadctl does when things go wrong, as a table: node bench/faults.js
// Real k6 on this machine, a target on loopback, one run a fault; each ends by itself within a minute.
import { execFileSync, fork, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));

if (process.argv[2] === 'target') {
  const server = createServer((_, response) => response.end('{"ok":true}'));
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
  process.on('disconnect', () => process.exit());
} else {
  await main();
}

/** A fault: when it strikes after the first event of a type, and how. */
function faults() {
  const signalRunner =
    (signal) =>
    ({ events }) =>
      process.kill(events().find((event) => event.type === 'runner-started' && event.runner === '2').pid, signal);
  return [
    { name: 'runner killed at start', after: 'runner-started', strike: signalRunner('SIGKILL') },
    { name: 'runner killed in the middle', after: 'fleet-sampled', strike: signalRunner('SIGKILL') },
    { name: 'runner frozen (SIGSTOP)', after: 'fleet-sampled', strike: signalRunner('SIGSTOP') },
    { name: 'loadctl gets SIGTERM', after: 'fleet-sampled', strike: ({ child }) => child.kill('SIGTERM') },
    {
      name: 'loadctl stop',
      after: 'fleet-sampled',
      strike: ({ folder }) => void spawn(process.execPath, [bin, 'stop'], { cwd: folder, stdio: 'ignore' }),
    },
    { name: 'loadctl killed', after: 'fleet-sampled', strike: ({ child }) => child.kill('SIGKILL') },
    { name: 'loadctl frozen (SIGSTOP)', after: 'fleet-sampled', strike: ({ child }) => child.kill('SIGSTOP'), thaw: true },
    { name: 'target dies', after: 'fleet-sampled', strike: ({ target }) => target.kill('SIGKILL'), seconds: 6 },
    {
      name: 'test.abort() in one runner',
      script: `if (__ENV.LOADCTL_RUNNER === '2' && exec.vu.iterationInInstance > 20) exec.test.abort();`,
      after: 'fleet-released',
    },
  ];
}

async function main() {
  const rows = [['fault', 'load off after', 'k6 left', 'requests kept', 'verdict', 'exit']];
  for (const fault of faults()) rows.push(await suffer(fault));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const row of rows) console.log(row.map((cell, column) => String(cell).padEnd(widths[column])).join('  '));
}

async function suffer({ name, after, strike, script = '', seconds = 30, thaw = false }) {
  const target = fork(fileURLToPath(import.meta.url), ['target']);
  const { port } = await new Promise((resolve) => target.once('message', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(
    join(folder, 'script.js'),
    `import http from 'k6/http';\nimport exec from 'k6/execution';\nimport { sleep } from 'k6';\nexport default () => { http.get('${url}/'); ${script} sleep(0.02); };\n`,
  );
  mkdirSync(join(folder, 'profiles'));
  const profile = `target: {url: "${url}", health: /}\nworkload: {script: ../script.js, vus: 4, duration: ${seconds}s}\nrunners: {count: 2}\nsla: {errors: < 1%}\n`;
  writeFileSync(join(folder, 'profiles', 'dev.yaml'), profile);
  const child = spawn(process.execPath, [bin, 'run', '--env', 'dev', '--quiet'], { cwd: folder, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  try {
    const events = () => eventsIn(folder);
    await until(() => events().some((event) => event.type === after && (event.runner ?? '2') === '2'), 20_000);
    const struck = Date.now();
    await strike?.({ child, folder, target, events });
    await until(() => k6Left(folder) === 0, 40_000);
    const off = ((Date.now() - struck) / 1000).toFixed(1);
    if (thaw) child.kill('SIGKILL');
    const exit = await ended;
    return [name, `${off} s`, k6Left(folder), ...resultIn(folder), exit];
  } finally {
    child.kill('SIGKILL');
    target.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function newestRun(folder) {
  const runs = join(folder, '.loadctl', 'runs');
  const newest = existsSync(runs) ? readdirSync(runs).sort().at(-1) : undefined;
  return newest && join(runs, newest);
}

function eventsIn(folder) {
  const run = newestRun(folder);
  const file = run && join(run, 'events.ndjson');
  if (!file || !existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

function resultIn(folder) {
  const run = newestRun(folder);
  if (!run) return ['-', 'nothing was run'];
  const summary = join(run, 'summary.json');
  const requests = existsSync(summary) ? (JSON.parse(readFileSync(summary, 'utf8')).metrics.http_reqs?.values.count ?? 0) : 0;
  try {
    return [
      requests,
      JSON.parse(execFileSync(process.execPath, [bin, 'verify', '--json'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })).verdict,
    ];
  } catch (error) {
    return [requests, JSON.parse(error.stdout).verdict];
  }
}

function k6Left(folder) {
  const all = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(folder) && line.includes('--execution-segment')).length;
}

async function until(holds, limitMs) {
  const deadline = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await sleep(50);
  }
}
