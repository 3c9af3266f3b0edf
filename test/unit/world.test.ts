import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { callAfter } from '../../src/core/timer.js';
import { openWorld } from '../../src/world.js';

const world = openWorld();
const node = (script: string) => ({ file: process.execPath, args: ['-e', script], env: { A: 'b' } });

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'loadctl-world-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('execute', () => {
  test('hands back what a command said, and how it ended', async () => {
    expect(await world.execute(node(`console.log('out'); console.error('err'); process.exit(3)`))).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('gives exactly the environment that it is given', async () => {
    const { stdout } = await world.execute(node('console.log(JSON.stringify(process.env))'));
    expect(JSON.parse(stdout)).toEqual({ A: 'b' });
  });

  test('feeds stdin, and closes it where there is nothing to feed', async () => {
    const echo = node('process.stdin.pipe(process.stdout)');
    expect(await world.execute({ ...echo, stdin: 'hello' })).toMatchObject({ exitCode: 0, stdout: 'hello' });
    expect(await world.execute(echo)).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('ends what a command started, too: one that lives on would keep its output open', async () => {
    const started = join(folder(), 'started');
    const abort = new AbortController();
    const script = `trap "" TERM; sleep 60 & echo $! >'${started}'; wait; sleep 60`;
    const ended = world.execute({ file: 'sh', args: ['-c', script] }, { signal: abort.signal });
    await expect.poll(() => existsSync(started) && readFileSync(started, 'utf8')).toMatch(/\n/);
    const asked = performance.now();
    abort.abort();
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    expect(performance.now() - asked).toBeLessThan(2500);
    const child = join('/proc', readFileSync(started, 'utf8').trim(), 'cmdline');
    expect(existsSync(child) ? readFileSync(child, 'utf8') : '').toBe(''); // a zombie has none
  });

  test('says why a command could not be started', async () => {
    expect(await world.execute({ file: '/nowhere/k6', args: [] })).toMatchObject({ error: 'ENOENT' });
  });

  test('ends what takes too long, and what nobody waits for any more', async () => {
    const forever = node('setInterval(() => {}, 1000)');
    expect(await world.execute(forever, { timeoutMs: 100 })).toMatchObject({ signal: 'SIGTERM' });
    const abort = new AbortController();
    const ended = world.execute(forever, { signal: abort.signal });
    abort.abort();
    expect(await ended).not.toMatchObject({ exitCode: 0 });
  });
});

describe('spawn', () => {
  test('appends output to files that only their owner reads', async () => {
    const file = join(folder(), 'log');
    for (const word of ['one', 'two']) await world.spawn(node(`console.log('${word}')`), { stdout: { file } }).ended;
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('hands out lines, and writes them', async () => {
    const lines: string[] = [];
    const process = world.spawn(node(`process.stdin.once('data', (text) => { console.log('a\\nb' + text); process.exit(7); })`), {
      stdout: (line) => lines.push(line),
      stdinPipe: true,
    });
    process.write('c\n');
    expect(await process.ended).toEqual({ exitCode: 7 });
    expect(lines.slice(0, 2)).toEqual(['a', 'bc']);
  });

  test('never throws: what cannot be started ends with an error', async () => {
    const { ended, pid, kill } = world.spawn({ file: '/nowhere/k6', args: [] });
    expect([await ended, pid, kill('SIGTERM')]).toEqual([{ error: 'ENOENT' }, undefined, false]);
    const log = { file: join(folder(), 'missing', 'log') };
    expect(await world.spawn(node(''), { stdout: log }).ended).toEqual({ error: 'ENOENT' });
    expect(await world.spawn({ file: 'a\0b', args: [] }).ended).toMatchObject({ error: expect.any(String) });
  });

  test('puts a process into a group of its own, and reaches it there', async () => {
    const { pid, ended, kill } = world.spawn(node('setInterval(() => {}, 1000)'), { ownGroup: true });
    expect(pid).toBeDefined();
    expect(await world.isRunning({ pid: pid ?? 0 })).toBe(true);
    expect(kill('SIGTERM')).toBe(true);
    expect(await ended).toEqual({ signal: 'SIGTERM' });
    expect(await world.isRunning({ pid: pid ?? 0 })).toBe(false);
  });
});

describe('the clock', () => {
  test('wakes who no longer wants to sleep', async () => {
    const abort = new AbortController();
    const slept = world.clock.sleep(60_000, abort.signal);
    abort.abort();
    await slept;
    await world.clock.sleep(60_000, abort.signal);
  });

  test('measures how long something took, to less than a millisecond', async () => {
    const [before, wall] = [world.clock.elapsed(), world.clock.stamp()];
    await world.clock.sleep(30);
    const [after, wallAfter] = [world.clock.elapsed(), world.clock.stamp()];
    expect(after - before).toBeGreaterThan(29);
    expect(Math.abs(after - before - (wallAfter - wall))).toBeLessThan(5);
    expect(Number.isInteger(after)).toBe(false);
  });

  test('calls once a time is over, unless it is called off before', async () => {
    const called: string[] = [];
    const later = new Promise<void>((resolve) =>
      callAfter(world.clock, 30, () => {
        called.push('late');
        resolve();
      }),
    );
    const off = callAfter(world.clock, 10, () => called.push('called off'));
    callAfter(world.clock, 10, () => called.push('early'));
    off();
    off();
    await later;
    expect(called).toEqual(['early', 'late']);
  });
});

describe('interrupts', () => {
  test('are counted, whichever they are; an echo is not', () => {
    const heard: [number, string][] = [];
    const stop = world.onInterrupt((count, signal) => heard.push([count, signal]));
    onTestFinished(stop);
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.emit(signal, signal);
    stop();
    expect(heard).toEqual([
      [1, 'SIGINT'],
      [2, 'SIGTERM'],
      [3, 'SIGHUP'],
    ]);
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });
});

test('nobody is asked where there is no terminal', async () => {
  expect(await world.ask('name? ', new AbortController().signal)).toBeUndefined();
});

test('a sleep longer than a timer can be is no short one', async () => {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const slept = [1e10, Number.POSITIVE_INFINITY].map((ms) => world.clock.sleep(ms, over.signal).then(() => 'long'));
  expect(await Promise.race([...slept, world.clock.sleep(20).then(() => 'short')])).toBe('short');
});
