import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished } from 'vitest';
import type { ProcessEnd } from '../../src/core/os.js';
import { type Agent, openAgent } from '../../src/runners/agent/link.js';
import { agentCommand } from '../../src/runners/agent/script.js';
import { openWorld } from '../../src/world.js';

const { clock } = openWorld();
const where = (name: string) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();

/** Every kind of POSIX shell that is here: the `sh` of a host can be any of them. */
export const shells = ['dash', 'bash', 'busybox', 'ksh', 'mksh', 'yash']
  .map((name) => ({ name, path: where(name) }))
  .filter(({ path }) => path !== '');

/** The tools that an agent uses, but for setsid, which macOS does not have. */
export function withoutSetsid(): readonly string[] {
  return ['dd', 'mkdir', 'mkfifo', 'mv', 'rm', 'cat', 'sleep', 'env', 'uname', 'getconf', 'head', 'tail', 'date', 'ls'].map(where);
}

/** An agent that a test speaks to as its conductor does. */
export interface TestAgent {
  readonly agent: Agent;
  readonly process: ChildProcess;
  readonly temp: string;
  /** Sends it nothing more: no orders, no beats. */
  fallSilent(): void;
  signalGroup(signal: NodeJS.Signals): void;
  /** The process id that something writes into a file. */
  pidIn(file: string): Promise<number>;
}

/** Whether a process of this id runs here: one that has ended, and whose parent has not seen that yet, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !(existsSync(stat) && /\) Z /.test(readFileSync(stat, 'utf8')));
}

/** The id of a process's parent. */
export function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Lines `pid args` of the processes that name a folder. */
export function processesOf(folder: string): string[] {
  const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
  return all.split('\n').filter((line) => line.includes(folder));
}

/** Starts an agent in this shell; shells behave differently when they are called `sh`. */
export async function startAgent(shell: string, tools?: readonly string[]): Promise<TestAgent> {
  const temp = mkdtempSync(join(tmpdir(), 'loadctl agent-'));
  const bin = join(temp, 'bin');
  mkdirSync(bin);
  symlinkSync(shell, join(bin, 'sh'));
  for (const tool of tools ?? []) symlinkSync(tool, join(bin, basename(tool)));
  const { file, args, stdin } = agentCommand(join(temp, 'folder'));
  const env = { PATH: tools === undefined ? `${bin}:${process.env.PATH}` : bin, FOREIGN: 'not for runners' };
  const child = spawn(join(bin, file), args, { env, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  onTestFinished(async () => {
    child.stdin.end();
    if (child.exitCode === null) child.kill('SIGCONT');
    await ended;
    await expect.poll(() => spawnSync('pgrep', ['-f', temp]).status, { timeout: 8000 }).toBe(1);
    rmSync(temp, { recursive: true, force: true });
  });
  child.stdin.on('error', () => {});
  child.stdin.write(stdin ?? '');
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve(signal === null ? { exitCode: exitCode ?? 0 } : { signal }));
  });
  let silent = false;
  const write = (text: string) => void (silent || child.stdin.write(text));
  const carry = (hear: (line: string) => void) => {
    createInterface({ input: child.stdout }).on('line', hear);
    return { write, ended, kill: () => false };
  };
  const agent = await openAgent(carry, { clock, signal: new AbortController().signal });
  if (!('folder' in agent)) throw new Error(`no agent: ${JSON.stringify(agent)}`);
  return {
    agent,
    process: child,
    temp,
    fallSilent: () => {
      silent = true;
    },
    signalGroup: (signal) => void (child.pid && process.kill(-child.pid, signal)),
    pidIn: async (name) => {
      await expect.poll(() => numberIn(name), { timeout: 5000 }).toBeGreaterThan(0);
      return numberIn(name);
    },
  };
}

function numberIn(file: string): number {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
}
