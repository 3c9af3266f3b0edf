import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../examples/servers/keep.js';
import { rowOf, watchedPlace } from '../support/watched-run.js';

/** Whoever may read only what is its own user's, as in a container: each of these lets a root read smaps (since Linux 6.15). */
const looking = '-sys_ptrace,-perfmon,-sys_admin';
const guarded = ['setpriv', `--bounding-set=${looking}`, `--inh-caps=${looking}`, '--'] as const;

/** A service that listens, and has a worker of another user that holds 300 MB. */
const service = `
const worker = require('child_process').spawn(process.execPath, ['-e', "const held = Buffer.alloc(300e6, 1); setInterval(() => held[0]++, 1000); console.log('ready')"],
  { uid: 65534, gid: 65534, stdio: ['ignore', 'pipe', 'inherit'] });
worker.stdout.once('data', () => require('net').createServer().listen(Number(process.argv[1]), '127.0.0.1', () => console.log('listening')));
process.on('SIGTERM', () => { worker.kill('SIGKILL'); process.exit(); });`;

async function startService(port: number): Promise<ChildProcess> {
  const [file, ...args] = guarded;
  const child = spawn(file, [...args, process.execPath, '-e', service, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGTERM'));
  if (child.stdout === null) throw new Error('it has a pipe');
  await once(child.stdout, 'data');
  return child;
}

function workerOf(pid: number): string {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
}

test.skipIf(process.getuid?.() !== 0)(
  'the memory of a process that loadctl may not look into is what it holds resident, never nothing',
  async () => {
    const port = await freePort();
    const { pid = 0 } = await startService(port);
    const at = await watchedPlace(
      `stores: {svc: {kind: redis, url: "redis://127.0.0.1:${port}"}}
monitors: {app: {kind: host, here: [svc], every: 500ms, timeout: 500ms}}
critical: {memory: <= 100%}`,
      '4s',
    );
    const [file, ...args] = guarded;
    const run = spawn(file, [...args, process.execPath, new URL('../../bin/loadctl.js', import.meta.url).pathname, 'run', '--env', 'dev'], {
      cwd: at.folder,
      env: { ...process.env, ...at.env },
    });
    let said = '';
    run.stderr.on('data', (text: Buffer) => {
      said += text.toString();
    });
    const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${workerOf(pid)}/status`, 'utf8'))?.[1]) * 1024;
    await once(run, 'exit');
    expect(rowOf(at.judged(), 'memory'), said).toMatchObject({ outcome: 'pass' });
    const told = at.lines().flatMap(({ values }) => values?.memoryUsed ?? []);
    expect(told.length).toBeGreaterThan(3);
    for (const bytes of told) {
      expect(bytes).toBeGreaterThan(resident * 0.95);
      expect(bytes).toBeLessThan(resident + 200e6);
    }
    expect(said.replaceAll(/\s+/g, ' ')).toContain('of 1 of its processes, of another user');
  },
);
