import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import type { ProcessEnd } from '../../src/core/os.js';
import { look } from '../../src/runners/agent/look.js';
import { endIn, orders } from '../../src/runners/agent/protocol.js';
import { logLimits, rawLog } from '../../src/runners/runner/raw-log.js';
import { isAlive, parentOf, shells, startAgent, type TestAgent, withoutSetsid } from '../support/agents.js';

const sh = (script: string, env: Record<string, string> = {}) => ({ file: 'sh', args: ['-c', script], env });
/** Whether the kernel asks a runner to end whose shell is gone: some busybox take their own setpriv, which cannot ask for that. */
const isTied = (path: string) => spawnSync(path, ['-c', 'setpriv --pdeathsig TERM true'], { argv0: 'sh' }).status === 0;
/** How a runner ended of which nobody saw it. */
const vanished: ProcessEnd = { error: 'ESRCH' };
/** What an agent says of so many bytes: some busybox take their own dd before any other, and that one may not count them. */
const counted = (shell: string, bytes: number) =>
  shell === 'busybox' ? expect.stringMatching(new RegExp(`^(${bytes}|unknown)$`)) : String(bytes);
const sleeper = sh('exec sleep 60');
/** Ends when it is asked to, and writes that down. */
const polite = (files: { readonly ready: string; readonly asked: string }) =>
  sh(`trap ': >"$asked"; exit' TERM; echo $$ >"$ready"; while :; do sleep 0.1; done`, files);
/** Does not care, as a wrapper around another process, whose id it writes down. */
const stubborn = (child: string) => sh(`trap '' TERM; sleep 60 & echo $! >"$child"; wait`, { child });

/** Starts a command as a runner: its process id, and how it will end. */
async function start({ agent }: TestAgent, runner: string, command = sleeper) {
  const [started, ended] = [agent.next('started', runner), agent.next('ended', runner)];
  agent.order(orders.run(runnerId(Number(runner)), command));
  const end = ended.then((answer): ProcessEnd => (answer === undefined ? { error: 'lost' } : endIn(answer)));
  return { pid: Number((await started)?.text), end };
}

test.each(shells)('$name: orders are carried out, and ends are told by status and signal', async ({ path }) => {
  const place = await startAgent(path);
  const quoted = sh('[ "$SECRET" = "it\'s \\$HOME" ] && [ -z "$FOREIGN" ] && exit 7', { SECRET: "it's $HOME" });
  const scripts = [quoted, sh('kill -SEGV $$'), sh('exit 255')];
  const [exited, crashed, last] = await Promise.all(scripts.map((command, index) => start(place, String(index), command)));
  expect([await exited?.end, await crashed?.end, await last?.end]).toEqual([{ exitCode: 7 }, { signal: 'SIGSEGV' }, { exitCode: 255 }]);
  const [asked, killed, left] = [await start(place, '7'), await start(place, '8'), await start(place, '9')];
  place.agent.order(orders.end(runnerId(7), 'gracefully') + orders.end(runnerId(8), 'hard'));
  expect([await asked.end, await killed.end]).toEqual([{ signal: 'SIGTERM' }, { signal: 'SIGKILL' }]);
  await place.agent.close();
  expect(await place.agent.ended).toEqual({ exitCode: 0 });
  expect([isAlive(left.pid), existsSync(place.agent.folder)]).toEqual([false, false]);
});

test.each(shells)('$name: looks tell of the host, and of what is used', async ({ path }) => {
  const place = await startAgent(path);
  const { pid } = await start(place, '1');
  const [used, host] = await Promise.all([look(place.agent, 'use'), look(place.agent, 'host no-such-k6')]);
  expect(used.get('process-1')).toMatch(new RegExp(`^${pid} \\(.*\n$`));
  expect(used.get('machine')).toMatch(/^cpu .* \d+ \d+\ncpu0 /);
  expect(used.get('memory')).toMatch(/^MemAvailable:.* kB$/m);
  expect(host.get('platform')).toMatch(/^\S+ \S+\n$/);
  expect(host.get('ports')).toMatch(/^\d+\s\d+\n$/);
  expect([host.get('k6-version'), host.get('k6-path')]).toEqual(['\n', '\n']);
});

const listening = `require('net').createServer().listen(0, '127.0.0.1', function () { require('fs').writeFileSync(process.env.port, String(this.address().port)); })`;
const listener = { file: process.execPath, args: ['-e', listening] };

test.runIf(existsSync('/proc/net/tcp')).each(shells)('$name: an agent knows whose a port is, also behind a wrapper', async ({ path }) => {
  const place = await startAgent(path);
  const [own, wrapped] = [join(place.temp, 'own'), join(place.temp, 'wrapped')];
  const wrapper = sh(`"$node" -e "$listening"; exit`, { node: process.execPath, listening, port: wrapped });
  await start(place, '1', { ...listener, env: { port: own } });
  await start(place, '2', wrapper);
  const [first, second] = [await place.pidIn(own), await place.pidIn(wrapped)];
  const foreign = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void foreign.close());
  await once(foreign, 'listening');
  const { port: third } = foreign.address() as AddressInfo;
  const whose = async (runner: string, port: number) => {
    const answer = place.agent.next('port', runner);
    place.agent.order(orders.whose(runnerId(Number(runner)), port));
    return (await answer)?.text;
  };
  expect([await whose('1', first), await whose('2', second)]).toEqual(['own', 'own']);
  expect([await whose('1', second), await whose('2', third), await whose('3', first)]).toEqual(['other', 'other', 'other']);
  expect(await whose('1', 1)).toBe('nobody');
});

test.runIf(existsSync('/proc/net/tcp')).each(shells)('$name: an agent knows it within 5 s beside 3,000 sockets', async ({ path }) => {
  const place = await startAgent(path);
  const port = await holdConnections(1500);
  const begun = performance.now();
  const answer = place.agent.next('port', '1');
  place.agent.order(orders.whose(runnerId(1), port));
  expect((await answer)?.text).toBe('other');
  expect(performance.now() - begun).toBeLessThan(5000);
});

/** Connections to a server of this process, both ends of them in it, until the test is over. */
async function holdConnections(count: number): Promise<number> {
  const held: Socket[] = [];
  const server = createServer((socket) => held.push(socket)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    for (const socket of held) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let made = 0; made < count; made += 1) {
    const socket = connect(port, '127.0.0.1');
    held.push(socket);
    await once(socket, 'connect');
  }
  return port;
}

test.each(shells)('$name: a runner that does not end when asked goes with all that it started', async ({ path }) => {
  const place = await startAgent(path);
  const ready = join(place.temp, 'ready');
  const { end } = await start(place, '1', stubborn(ready));
  const child = await place.pidIn(ready);
  place.agent.order(orders.end(runnerId(1), 'gracefully') + orders.end(runnerId(1), 'hard'));
  expect(await end).toEqual({ signal: 'SIGKILL' });
  await expect.poll(() => isAlive(child)).toBe(false);
});

test.each(shells)(
  '$name: what a runner says is kept at its beginning and its end; the rest is counted, and it never waits',
  async ({ name: shell, path }) => {
    const place = await startAgent(path);
    const [quiet, loud] = [place.agent.next('kept', '1'), place.agent.next('kept', '2')];
    await (await start(place, '1', sh('echo out; echo err >&2'))).end;
    const lines = 'dd if=/dev/zero bs=1000000 count=80 2>/dev/null | tr "\\000" x >&2; echo last words >&2';
    const { end } = await start(place, '2', sh(lines));
    expect(await end).toEqual({ exitCode: 0 });
    expect([(await quiet)?.text, (await loud)?.text]).toEqual(['0', counted(shell, 80_000_011 - logLimits.first)]);
    const said = (runner: string, name: string) => readFileSync(join(place.agent.folder, runner, name), 'utf8');
    expect([said('1', rawLog.first), said('1', rawLog.last)]).toEqual(['out\nerr\n', '']);
    expect([said('2', rawLog.first).length, said('2', rawLog.last).length]).toEqual([logLimits.first, logLimits.last]);
    expect(said('2', rawLog.last).slice(-12)).toBe('xlast words\n');
  },
);

test.each(shells)('$name: a log that nobody can write, or that somebody holds open, holds nobody up', async ({ name, path }) => {
  const place = await startAgent(path);
  mkdirSync(join(place.agent.folder, '1', rawLog.first), { recursive: true }); // a folder where the file should be
  const loud = sh('dd if=/dev/zero bs=1000000 count=3 >&2 2>/dev/null; exit 3');
  const kept = place.agent.next('kept', '1');
  expect(await (await start(place, '1', loud)).end).toEqual({ exitCode: 3 });
  expect((await kept)?.text).toEqual(counted(name, 3_000_000));
  const stray = join(place.temp, 'stray');
  expect(
    await (await start(place, '2', sh('setsid sh -c \'echo $$ >"$stray"; exec sleep 30\' & sleep 0.3; exit 4', { stray }))).end,
  ).toEqual({ exitCode: 4 });
  const pid = await place.pidIn(stray);
  onTestFinished(() => void (isAlive(pid) && process.kill(pid, 'SIGKILL')));
  await place.agent.close();
  expect(existsSync(place.agent.folder)).toBe(false);
});

test.runIf(existsSync('/proc/self/stat')).each(shells)(
  '$name: where what looks after a runner is killed or stands still, its runner obeys, and its end is told',
  async ({ path }) => {
    const place = await startAgent(path);
    const files = { ready: join(place.temp, 'ready'), asked: join(place.temp, 'asked') };
    const child = join(place.temp, 'child');
    const [asked, killed, frozen] = [
      await start(place, '1', polite(files)),
      await start(place, '2', stubborn(child)),
      await start(place, '3'),
    ];
    await place.pidIn(files.ready);
    const inGroup = await place.pidIn(child);
    const stopped = parentOf(frozen.pid);
    onTestFinished(() => void (isAlive(stopped) && process.kill(stopped, 'SIGKILL')));
    for (const { pid } of [asked, killed]) process.kill(parentOf(pid), 'SIGKILL');
    process.kill(stopped, 'SIGSTOP');
    for (let beats = 0; beats < 6; beats += 1) await place.agent.next('beat', '');
    expect([asked, killed, frozen].map(({ pid }) => isAlive(pid))).toEqual([!isTied(path), true, true]);
    place.agent.order(orders.end(runnerId(1), 'gracefully'));
    for (const { pid } of [killed, frozen]) process.kill(pid, 'SIGKILL');
    expect(await Promise.all([asked.end, killed.end, frozen.end])).toEqual([vanished, vanished, vanished]);
    expect(existsSync(files.asked)).toBe(true);
    await expect.poll(() => isAlive(inGroup)).toBe(false);
  },
);

interface Fate {
  readonly fate: string;
  readonly strike: (place: TestAgent) => void;
  /** When its runners have to be gone. */
  readonly from?: number;
  readonly within: number;
}

const fates: Fate[] = [
  { fate: 'left without beats', strike: ({ fallSilent }) => fallSilent(), from: 2500, within: 5000 },
  { fate: 'its input ends', strike: ({ process }) => process.stdin?.end(), within: 1500 },
  { fate: 'killed', strike: ({ process }) => void process.kill('SIGKILL'), within: 3000 },
  { fate: 'killed with its group', strike: ({ signalGroup }) => signalGroup('SIGKILL'), within: 3000 },
  { fate: 'frozen', strike: ({ process }) => void process.kill('SIGSTOP'), from: 2500, within: 5000 },
  { fate: 'asked to end', strike: ({ process }) => void process.kill('SIGTERM'), within: 1500 },
];

test.each(shells)('$name: whatever becomes of an agent, its runners go with it: asked first, then killed', async ({ path }) => {
  const outcomes = await Promise.all(fates.map((fate) => suffer(path, fate)));
  expect(outcomes).toEqual(fates.map(({ fate }) => ({ fate, asked: true, inTime: true })));
});

async function suffer(shell: string, { fate, strike, from = 0, within }: Fate): Promise<unknown> {
  const place = await startAgent(shell);
  const files = { ready: join(place.temp, 'ready'), asked: join(place.temp, 'asked') };
  const child = join(place.temp, 'child');
  const runners = [await start(place, '1', polite(files)), await start(place, '2', stubborn(child))];
  await place.pidIn(files.ready);
  const pids = [...runners.map(({ pid }) => pid), await place.pidIn(child)];
  const begun = Date.now();
  strike(place);
  await expect.poll(() => pids.filter(isAlive), { timeout: 10_000, interval: 20 }).toEqual([]);
  const tookMs = Date.now() - begun;
  await expect.poll(() => existsSync(place.agent.folder), { timeout: 3000 }).toBe(false);
  return { fate, asked: existsSync(files.asked), inTime: (tookMs >= from && tookMs < within) || tookMs };
}

/** As on macOS, where bash is what makes process groups. */
test.each(shells)('$name: without setsid no runner outlives its agent, either', async ({ name, path }) => {
  const [silent, killed] = [await startAgent(path, withoutSetsid()), await startAgent(path, withoutSetsid())];
  const child = join(silent.temp, 'child');
  const runners = [await start(silent, '1', stubborn(child)), await start(killed, '1')];
  const inGroup = await silent.pidIn(child);
  const pids = [...runners.map(({ pid }) => pid), ...(name === 'bash' ? [inGroup] : [])];
  onTestFinished(() => void (isAlive(inGroup) && process.kill(inGroup)));
  silent.fallSilent();
  killed.signalGroup('SIGKILL');
  await expect.poll(() => pids.filter(isAlive), { timeout: 5000, interval: 20 }).toEqual([]);
});

test.each(shells)('$name: a machine that is busy does not end what hears its beats', async ({ path }) => {
  const place = await startAgent(path);
  const { pid } = await start(place, '1');
  const spinning = Array.from({ length: 16 }, () => spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }));
  onTestFinished(() => {
    for (const process of spinning) process.kill('SIGKILL');
  });
  for (let beats = 0; beats < 14; beats += 1) expect(await place.agent.next('beat', '')).toBeDefined();
  expect(isAlive(pid)).toBe(true);
});

test.each(shells)(
  '$name: orders without a pause keep an agent as beats do, and it goes on telling whose end nobody saw',
  async ({ path }) => {
    const place = await startAgent(path);
    const { pid } = await start(place, '1');
    const lost = await start(place, '2');
    process.kill(parentOf(lost.pid), 'SIGKILL');
    process.kill(lost.pid, 'SIGKILL');
    let end: ProcessEnd | undefined;
    void lost.end.then((how) => {
      end = how;
    });
    const begun = performance.now();
    while (performance.now() - begun < 6000) expect((await look(place.agent, 'use')).get('machine')).toBeDefined();
    expect({ isAlive: isAlive(pid), end }).toEqual({ isAlive: true, end: vanished });
  },
);
