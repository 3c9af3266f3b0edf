// What loadctl does when things go wrong, as a table: node bench/faults.js [word of a fault's name]
// Real k6, a target on loopback or in a network of its own, one run a fault; each ends by itself within a minute. A full disk
// and hosts of our own take root on Linux. docs/faults.md explains the columns.
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scope } from '../dist/core/scope.js';
import { canMakeHosts } from '../dist/examples/servers/ssh-hosts.js';
import { openStage, resultIn, startAnother, until } from './support/fault-stage.js';
import { k6Path } from './support/k6.js';
import { printTable } from './support/table.js';

const onLoad = ({ type }) => type === 'fleet-sampled';
const startedSecond = ({ type, runner }) => type === 'runner-started' && runner === '2';
const pidOf = (events, of) => events().find(({ type, runner }) => type === 'runner-started' && runner === of).pid;
const pidOfSecond = ({ events }) => pidOf(events, '2');
const signalSecond = (signal) => (stage) => process.kill(pidOfSecond(stage), signal);
const signalLoadctl = (signal) => (stage) => stage.loadctl.child.kill(signal);
const twoHosts = [{ name: 'h1' }, { name: 'h2' }];
const isRoot = process.getuid?.() === 0;

/** Takes the port that the second runner was given before its k6 does, the first time. */
const takePort = `
if runner "$@" && [ ! -e taken ]; then
  for word in "$@"; do case $word in 127.0.0.1:*) port=\${word#127.0.0.1:} ;; esac; done
  node -e "const s = require('net').createServer().listen($port, '127.0.0.1', () => { require('fs').writeFileSync('taken', ''); setTimeout(() => s.close(), 3000); })" &
  while [ ! -e taken ]; do sleep 0.05; done
fi`;

/** `after`: the event that it waits for; `strike`: what is done then; `struck`: when it was, where it strikes by itself. */
const faults = [
  {
    name: 'runner killed at start',
    init: 'if (__VU > 0) while (Date.now() - begun < 500);',
    after: startedSecond,
    strike: signalSecond('SIGKILL'),
  },
  { name: 'runner killed in the middle', after: onLoad, strike: signalSecond('SIGKILL') },
  {
    name: 'runner killed in the last second',
    seconds: 4,
    after: ({ type, elapsedMs }) => type === 'fleet-sampled' && elapsedMs >= 3000,
    strike: signalSecond('SIGKILL'),
  },
  { name: 'runner ended by somebody (SIGTERM)', after: onLoad, strike: signalSecond('SIGTERM') },
  {
    name: 'both killed, 60% may be lost',
    runners: ', onLost: continue, allowedLoss: 60%',
    after: onLoad,
    strike: killBoth,
  },
  {
    name: 'runner killed in teardown()',
    seconds: 3,
    tearingDown: 'sleep(3);',
    after: ({ type }) => type === 'teardown-started',
    strike: ({ events }) => process.kill(pidOf(events, '1'), 'SIGKILL'),
    says: /runs again/,
  },
  { name: 'runner frozen (SIGSTOP)', after: onLoad, strike: signalSecond('SIGSTOP') },
  {
    name: 'runner frozen 1.5 s, four times',
    seconds: 10,
    after: onLoad,
    strike: (stage) => haltingly(stage, () => [pidOfSecond(stage)]),
    says: /stood still/,
  },
  {
    name: 'all frozen 1.5 s, four times',
    seconds: 10,
    after: onLoad,
    strike: (stage) => haltingly(stage, () => [stage.loadctl.child.pid, ...stage.processes().map((line) => Number.parseInt(line, 10))]),
    says: /stood still/,
  },
  {
    name: 'runner frozen at the release',
    setup: 'sleep(1); return {};',
    after: ({ type }) => type === 'setup-finished',
    strike: signalSecond('SIGSTOP'),
  },
  {
    name: 'runner logs 20 MB a second',
    seconds: 8,
    init: "const page = 'p'.repeat(200000);",
    iteration: 'if (second) console.error(page);',
    after: onLoad,
    says: /log of runner 2 was cut/,
  },
  {
    name: 'runner out of memory',
    k6: 'if runner "$@"; then ulimit -v 1500000; fi',
    iteration: 'if (second) held.push(new Uint8Array(20e6).fill(1));',
    after: startedSecond,
    struck: (stage) => until(() => !isAlive(pidOfSecond(stage)) && Date.now(), 30_000),
  },
  {
    name: 'disk full under the run directory',
    unless: isRoot ? undefined : 'takes root, to mount a small disk',
    prepare: mountSmallDisk,
    after: onLoad,
    strike: fillDisk,
  },
  {
    name: 'REST port taken',
    seconds: 3,
    k6: takePort,
    after: startedSecond,
    struck: ({ folder }) => statSync(join(folder, 'taken')).mtimeMs,
    says: /runner 2 started/,
  },
  {
    name: 'runner never ready',
    init: 'if (__VU > 0 && second) while (true);',
    runners: ', readyTimeout: 5s',
    after: startedSecond,
  },
  {
    name: 'test.abort() in one runner',
    iteration: `if (second && exec.vu.iterationInInstance > 20) { http.get(__ENV.BASE_URL + '/aborting'); exec.test.abort(); }`,
    after: ({ type }) => type === 'fleet-stopped',
    struck: async ({ target }) => (await target.seen())['/aborting'].first,
  },
  { name: 'loadctl killed', after: onLoad, strike: signalLoadctl('SIGKILL') },
  {
    name: 'loadctl, agent and shells killed, k6 paused',
    setup: 'sleep(20);',
    after: ({ type }) => type === 'runner-ready',
    strike: killAllButK6,
  },
  { name: 'loadctl frozen, thawed when its k6 is gone', after: onLoad, strike: signalLoadctl('SIGSTOP'), thaw: true },
  { name: 'wall clock set an hour back', seconds: 6, settable: true, after: onLoad, strike: signalLoadctl('SIGUSR2'), says: /clock/ },
  {
    name: 'setup() throws',
    setup: "throw new Error('half way');",
    after: ({ type }) => type === 'setup-failed',
    says: /half way/,
  },
  { name: 'Ctrl-C', after: onLoad, strike: signalLoadctl('SIGINT') },
  { name: 'Ctrl-C twice', tearingDown: 'sleep(5);', after: onLoad, strike: interruptTwice },
  { name: 'loadctl stop, its file empty', after: onLoad, strike: ({ run }) => writeFileSync(join(run(), 'stop.json'), '') },
  { name: 'loadctl stop', after: onLoad, strike: ({ folder }) => startAnother(folder, 'stop') },
  { name: 'target dies', seconds: 6, after: onLoad, strike: ({ target }) => target.die(), says: /probe failed/ },
  { name: 'ssh: a host cut off', hosts: twoHosts, after: onLoad, strike: ({ network }) => network.hosts[1].cutOff() },
  { name: 'ssh: loadctl killed', hosts: twoHosts, after: onLoad, strike: signalLoadctl('SIGKILL') },
];

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The second one when the others go on, and have for two seconds. */
async function killBoth({ events }) {
  process.kill(pidOf(events, '1'), 'SIGKILL');
  const lost = await until(() => events().find(({ type }) => type === 'runner-lost'), limitMs);
  await until(() => events().some((event) => onLoad(event) && event.t > lost.t + 2000), limitMs);
  process.kill(pidOf(events, '2'), 'SIGKILL');
}

/** Stops processes for 1.5 s and lets them run for 0.5 s, four times. */
async function haltingly({ loadctl }, pids) {
  for (let time = 0; time < 4 && loadctl.end.at === undefined; time += 1) {
    const stopped = pids();
    signalAll(stopped, 'SIGSTOP');
    await sleep(1500);
    signalAll(stopped, 'SIGCONT');
    await sleep(500);
  }
}

function killAllButK6({ loadctl, processes }) {
  const others = processes().filter((line) => !/k6\S* run /.test(line));
  signalAll([loadctl.child.pid, ...others.map((line) => Number.parseInt(line, 10))], 'SIGKILL');
}

async function interruptTwice({ loadctl, events }) {
  loadctl.child.kill('SIGINT');
  await until(() => events().some(({ type }) => type === 'teardown-started'), limitMs);
  loadctl.child.kill('SIGTERM');
}

function signalAll(pids, signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone.
    }
  }
}

function mountSmallDisk(folder, defer) {
  const disk = join(folder, '.loadctl');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
  defer(() => execFileSync('umount', ['-l', disk]));
}

function fillDisk({ folder }) {
  try {
    writeFileSync(join(folder, '.loadctl', 'filler'), Buffer.alloc(2_000_000));
  } catch {
    // It is full now.
  }
}

const limitMs = 60_000;
const saysSo = /ending early|was lost|: failed$/;

async function suffer(fault, k6) {
  return scope(async (defer) => {
    const stage = await openStage(fault, k6, defer);
    const { loadctl, events, processes, target, folder } = stage;
    const began = await until(() => events().some(fault.after), limitMs);
    if (began === undefined) throw new Error(`${fault.name}: the moment to strike did not come:\n${text(loadctl)}`);
    const struckAt = (await fault.struck?.(stage)) ?? Date.now();
    await fault.strike?.(stage);
    if (fault.thaw) {
      await until(() => processes().length === 0, limitMs);
      loadctl.child.kill('SIGCONT');
    }
    await until(() => loadctl.end.at !== undefined, limitMs);
    // What loadctl left behind may need its seconds to notice.
    await until(() => processes().length === 0, 10_000);
    const allGoneAt = Date.now();
    const seen = await target.seen();
    const after = (at) => (at === undefined ? '-' : seconds(at - struckAt));
    const said = loadctl.lines.find(({ at, text }) => at >= struckAt && (fault.says ?? saysSo).test(text))?.at;
    const { kept, verdict } = resultIn(folder);
    return [
      fault.name,
      said === undefined ? `${after(allGoneAt)} (its agents)` : after(said),
      after(seen['/work']?.last ?? events().find(({ type }) => type === 'load-ended')?.at),
      processes().length,
      kept,
      seen['/torn-down']?.times ?? 0,
      verdict,
      loadctl.end.how ?? `still there after ${limitMs / 1000} s`,
    ];
  });
}

function seconds(ms) {
  return ms < 100 ? '< 0.1 s' : `${(ms / 1000).toFixed(1)} s`;
}

function text({ lines }) {
  return lines.map((line) => line.text).join('\n');
}

const rows = [['fault', 'noticed after', 'load off after', 'orphans', 'requests kept', 'teardowns', 'verdict', 'exit']];
const k6 = await k6Path();
for (const fault of faults.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
  const reason = fault.unless ?? (fault.hosts !== undefined && !canMakeHosts() ? 'takes root on Linux, for network namespaces' : undefined);
  rows.push(reason === undefined ? await suffer(fault, k6) : [fault.name, `left out: ${reason}`, '', '', '', '', '', '']);
}
printTable(rows);
