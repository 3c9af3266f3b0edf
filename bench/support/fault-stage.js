import { execFileSync, fork, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startHosts } from '../../dist/examples/servers/ssh-hosts.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const localAddress = '127.0.0.1';

/** Where a fault strikes: a target, hosts where it wants some, a folder with profile and script, and loadctl running in it. */
export async function openStage(fault, k6, defer) {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  const network = fault.hosts === undefined ? undefined : await startHosts(fault.hosts, { defer, k6 });
  const target = await startTarget(network?.address ?? localAddress, defer);
  const url = `http://${network?.address ?? localAddress}:${target.port}`;
  writeFileSync(join(folder, 'script.js'), scriptOf(fault));
  mkdirSync(join(folder, 'profiles'));
  writeFileSync(join(folder, 'profiles', 'dev.yaml'), profileOf(fault, url, network));
  fault.prepare?.(folder, defer);
  const loadctl = startLoadctl(
    folder,
    fault.k6 === undefined ? k6 : wrappedK6(folder, k6, fault.k6),
    fault.settable ? settable : {},
    defer,
  );
  return {
    folder,
    network,
    target,
    loadctl,
    run: () => newestRun(folder),
    events: () => eventsIn(folder),
    processes: () => processesOf(folder, network, loadctl),
  };
}

async function startTarget(address, defer) {
  const child = fork(fileURLToPath(new URL('target.js', import.meta.url)), [address]);
  defer(() => void child.kill('SIGKILL'));
  const { port } = await new Promise((resolve) => child.once('message', resolve));
  const ask = () =>
    new Promise((resolve) => {
      if (!child.connected) return resolve({});
      child.once('message', resolve);
      child.send('what was seen?');
    });
  return { port, seen: ask, die: () => child.kill('SIGKILL') };
}

function scriptOf({ init = '', iteration = '', setup, tearingDown = '' }) {
  return `import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
const second = __ENV.LOADCTL_RUNNER === '2', begun = Date.now(), held = [];
${init}
${setup === undefined ? '' : `export function setup() { ${setup} }`}
export default () => { http.get(__ENV.BASE_URL + '/work'); ${iteration} sleep(0.02); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); ${tearingDown} }
`;
}

function profileOf({ seconds = 60, runners = '' }, url, network) {
  const hosts = network?.hosts.map(({ name }) => name);
  const places = network === undefined ? '' : `, backend: ssh, hosts: [${hosts}], sshConfig: ${network.config}`;
  const guards = network === undefined ? '' : `guards: {allow: [${[network.address, ...hosts]}], confirm: false}\n`;
  return `target: {url: "${url}", health: /}
workload: {script: ../script.js, vus: 4, duration: ${seconds}s}
runners: {count: 2${places}${runners}}
sla: {errors: < 1%}
${guards}`;
}

/** A shell script in the place of k6; `runner` says whether it is called as the second runner. */
function wrappedK6(folder, k6, lines) {
  const file = join(folder, 'k6.sh');
  writeFileSync(file, `#!/bin/sh\nrunner() { [ "$1" = run ] && [ "\${LOADCTL_RUNNER:-}" = 2 ]; }\n${lines}\nexec '${k6}' "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

/** A loadctl whose wall clock SIGUSR2 sets an hour back. */
const settable = {
  NODE_OPTIONS: `--require ${fileURLToPath(new URL('../../test/fixtures/clock/set-clock.cjs', import.meta.url))}`,
  LOADCTL_TEST_STEP_MS: '-3600000',
};

function startLoadctl(folder, k6, more, defer) {
  // Its temporary folder is this one, too: whoever names it belongs here.
  const env = { ...process.env, ...more, LOADCTL_K6: k6, TMPDIR: folder };
  const child = spawn(process.execPath, [bin, 'run', '--env', 'dev'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  defer(() => void child.kill('SIGKILL'));
  const lines = [];
  createInterface({ input: child.stderr }).on('line', (text) => lines.push({ at: Date.now(), text }));
  const end = {};
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve(Object.assign(end, { at: Date.now(), how: code ?? signal })));
  });
  return { child, lines, end, ended };
}

/** Another loadctl there; does not wait for it. */
export function startAnother(folder, ...args) {
  spawn(process.execPath, [bin, ...args], { cwd: folder, stdio: 'ignore' });
}

function eventsIn(folder) {
  const run = newestRun(folder);
  const file = run && join(run, 'events.ndjson');
  if (!file || !existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Requests that were kept, merged or at least as they came in second by second, and what the run was found to be. */
export function resultIn(folder) {
  const run = newestRun(folder);
  if (run === undefined) return { kept: 0, verdict: 'nothing was run' };
  const summary = join(run, 'summary.json');
  const merged = existsSync(summary) && JSON.parse(readFileSync(summary, 'utf8')).metrics.http_reqs?.values.count;
  const lastSecond = eventsIn(folder).findLast(({ type }) => type === 'fleet-sampled')?.requests ?? 0;
  const { stdout } = spawnSync(process.execPath, [bin, 'verify', '--json'], { cwd: folder, encoding: 'utf8' });
  const kept = merged === false && lastSecond > 0 ? `${lastSecond} unmerged` : merged || 0;
  return { kept, verdict: JSON.parse(stdout).verdict };
}

function newestRun(folder) {
  const runs = join(folder, '.loadctl', 'runs');
  const newest = existsSync(runs) ? readdirSync(runs).sort().at(-1) : undefined;
  return newest && join(runs, newest);
}

/** What runs for the fault's run besides loadctl itself: here, by the folder in its arguments, and on its hosts. */
function processesOf(folder, network, { child }) {
  const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const here = all.filter((line) => line.includes(folder) && Number.parseInt(line, 10) !== child.pid);
  const onHosts = network?.hosts.flatMap((host) => [...host.k6(), ...host.left()]) ?? [];
  return [...here, ...onHosts];
}

/** Resolves with what `look` finds, when it finds something; undefined after `limitMs`. */
export async function until(look, limitMs) {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; ) {
    const found = await look();
    if (found) return found;
    await sleep(20);
  }
  return undefined;
}
