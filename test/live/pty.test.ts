import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { isAlive } from '../support/agents.js';
import { workplace } from '../support/loadctl.js';
import { hasTerminals, startInTerminal } from '../support/pty.js';
import { startTarget } from '../support/target.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const script = `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } }); sleep(0.05); };\nexport function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }`;
/** Real k6 behind a process of the same group, which writes down every signal that the group gets. */
const listening = (k6: string, folder: string) => `#!${process.execPath}
const { appendFileSync } = require('node:fs');
const argv = process.argv.slice(2);
const heard = (what) => argv[0] === 'run' && appendFileSync('${folder}/signals-' + process.pid, what + '\\n');
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => heard(signal));
process.on('SIGTERM', () => {});
const k6 = require('node:child_process').spawn('${k6}', argv, { stdio: 'inherit' });
heard('started');
k6.on('close', (code) => process.exit(code ?? 1));
`;

const inTerminal = hasTerminals() ? test : test.skip;

inTerminal('Ctrl-C, typed once: loadctl ends the load, k6 gets no signal of it, teardown runs once, 105', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 4, duration: 60s}\nrunners: {count: 2}\n`,
    'script.js': script,
  });
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  const k6 = place.file('k6', listening(LOADCTL_K6, place.folder));
  chmodSync(k6, 0o755);
  const run = startInTerminal([process.execPath, bin, 'run', '--env', 'dev', '--view', 'short'], place.folder, {
    PATH,
    HOME,
    LOADCTL_K6: k6,
  });

  await run.until(/p99 [^\n]*2 runners[\s\S]*GET \/work +\d/);
  run.type('\x03');

  expect(await run.exitCode, run.shown()).toBe(105);
  expect(run.shown().split('stopping gracefully')).toHaveLength(2);
  expect(run.shown()).toContain('INTERRUPTED');
  expect(target.hits.get('GET /torn-down')).toBe(1);
  const heard = readdirSync(place.folder).filter((name) => name.startsWith('signals-'));
  expect(heard.map((name) => place.read(name))).toEqual(['started\n', 'started\n']);
  const verdict = JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8')) as { reasons: string[] };
  expect(verdict.reasons[0]).toContain('interrupted (Ctrl-C');
  expect(existsSync(join(place.latestRun(), 'summary.json'))).toBe(true);
});

inTerminal('Ctrl-S: a terminal that takes nothing holds nothing up; SIGTERM is heard, and the load ends', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 4, duration: 60s}\nrunners: {count: 2}\n`,
    'script.js': script,
  });
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  const run = startInTerminal([process.execPath, bin, 'run', '--env', 'dev', '--view', 'short'], place.folder, { PATH, HOME, LOADCTL_K6 });
  await run.until(/p99 [^\n]*2 runners[\s\S]*GET \/work +\d/);
  const { by } = JSON.parse(readFileSync(join(place.latestRun(), 'run.json'), 'utf8')) as { by: { pid: number } };
  const seconds = () => readFileSync(join(place.latestRun(), 'timeseries.ndjson'), 'utf8').split('\n').length;

  run.type('\x13');
  const [before, usedBefore] = [seconds(), cpuMs(by.pid)];
  await expect.poll(seconds, { timeout: 10_000 }).toBeGreaterThan(before + 4);
  const [asked, used] = [performance.now(), cpuMs(by.pid) - usedBefore];
  process.kill(by.pid, 'SIGTERM');
  await expect.poll(() => isAlive(by.pid), { timeout: 15_000, interval: 20 }).toBe(false);
  const took = performance.now() - asked;
  run.type('\x11');

  expect(await run.exitCode, run.shown()).toBe(105);
  expect(took).toBeLessThan(7000);
  expect(used).toBeLessThan(2000);
  expect(target.hits.get('GET /torn-down')).toBe(1);
  expect(JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8'))).toMatchObject({ verdict: 'interrupted' });
});

/** CPU time that a process has used; 0 where this system does not tell. */
function cpuMs(pid: number): number {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return 0;
  const [, ...fields] = readFileSync(stat, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[10]) + Number(fields[11])) * 10;
}

inTerminal('lines break between words at 80 columns on a terminal, and not in a pipe', async () => {
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "http://127.0.0.1:1", health: /healthz}
workload: {script: ../script.js, vus: 4, duration: 10s, pacing: 1s, endpoints: {details: "GET /a/rather/long/path/to/some/resource/:id/details"}, mix: {details: 100%}}
sla: {availability: 99.9%, "http_req_duration{name:GET /a/rather/long/path/to/some/resource/:id/details}": "p(99) < 1ms", throughput: 30000/s}
critical: {cpu: < 80%, memory: < 85%, dbConnections: < 90%, queueDepth: < 1000}
`,
    'script.js': script,
  });
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  for (const args of [
    ['plan', '--env', 'dev'],
    ['plan', '--env', 'one-that-nobody-has-written-a-profile-for'],
  ]) {
    const onScreen = startInTerminal([process.execPath, bin, ...args], place.folder, { PATH, HOME, LOADCTL_K6 });
    await onScreen.exitCode;
    const lines = stripVTControlCharacters(onScreen.shown()).split(/\r?\n/);
    const piped = await place.loadctl(args);
    const longest = (some: readonly string[]) => Math.max(...some.map((line) => line.length));
    expect(longest((piped.stdout + piped.stderr).split('\n'))).toBeGreaterThan(90);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    // What this machine has free is another number each time.
    const words = (text: string) =>
      text
        .replace(/\S+ (GB|MB) free/, '')
        .split(/\s+/)
        .toSorted();
    expect(words(lines.join('\n'))).toEqual(words(piped.stdout + piped.stderr));
  }
});

inTerminal('a prompt acts on no terminal, whoever wrote it, and what is typed is handed back', async () => {
  const prompt = '\u001b]0;title\u0007\u001b[2JType: ';
  const script = `const { openWorld } = await import(${JSON.stringify(new URL('../../dist/world.js', import.meta.url).href)});
const typed = await openWorld().ask(${JSON.stringify(prompt)}, new AbortController().signal);
process.exit(typed === 'dev' ? 0 : 1);`;
  const { PATH = '' } = process.env;
  const terminal = startInTerminal([process.execPath, '--input-type=module', '-e', script], workplace().folder, { PATH });
  await terminal.until('\\x1b]0;title\\x07\\x1b[2JType: ');
  for (const sequence of ['\u001b]', '\u001b[2J']) expect(terminal.shown()).not.toContain(sequence);
  terminal.type('dev\n');
  expect(await terminal.exitCode, terminal.shown()).toBe(0);
});

inTerminal('a terminal of no size (0 columns, as a bare pty is) gets plain lines, and the run ends', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 2, duration: 1s}\nrunners: {count: 2}\n`,
    'script.js': script,
  });
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  const argv = [process.execPath, '--max-old-space-size=256', bin, 'run', '--env', 'dev'];
  const run = startInTerminal(argv, place.folder, { PATH, HOME, LOADCTL_K6 }, { columns: 0, rows: 0 });

  expect(await run.exitCode, run.shown().slice(-2000)).toBe(0);
  expect(run.shown()).toContain('PASS');
  expect(run.shown()).not.toContain('\u001b[1G');
});
