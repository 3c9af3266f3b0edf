import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));

/** What a call of loadctl said and how it ended. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with a profile in it, removed after the test; its environment is only what a test gives it, and a temporary folder in there. */
export interface Workplace {
  readonly folder: string;
  file(name: string, content: string): string;
  read(name: string): string;
  /** The newest run directory below it. */
  latestRun(): string;
  /** Runs loadctl there to its end. */
  loadctl(args: readonly string[], env?: Record<string, string>): Promise<Said>;
  /** Starts loadctl there. */
  start(
    args: readonly string[],
    env?: Record<string, string>,
  ): { process: ChildProcess; said: Promise<Said>; until(text: string | RegExp): Promise<void> };
}

/** Makes a {@link Workplace}: a temporary folder with the given files. */
export function workplace(files: Record<string, string> = {}): Workplace {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const place: Workplace = {
    folder,
    file(name, content) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    latestRun() {
      const runs = join(folder, '.loadctl', 'runs');
      const newest = readdirSync(runs).sort().at(-1);
      if (newest === undefined) throw new Error(`no run in ${runs}`);
      return join(runs, newest);
    },
    loadctl: (args, env) => place.start(args, env).said,
    start: (args, env = {}) => start(folder, args, env),
  };
  for (const [name, content] of Object.entries(files)) place.file(name, content);
  return place;
}

function start(cwd: string, args: readonly string[], env: Record<string, string>): ReturnType<Workplace['start']> {
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  // Its temporary folder is in its own, too: whoever names that belongs to it.
  const TMPDIR = join(cwd, 'tmp');
  mkdirSync(TMPDIR, { recursive: true });
  const base = { PATH, HOME, TMPDIR, ...(LOADCTL_K6 === '' ? {} : { LOADCTL_K6 }) };
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...base, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const heard = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8');
    child[stream].on('data', (text: string) => {
      heard[stream] += text;
      for (const listener of listeners) listener();
    });
  }
  const said = new Promise<Said>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...heard }));
  });
  const until = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        const all = heard.stdout + heard.stderr;
        if (typeof text === 'string' ? !all.includes(text) : !text.test(all)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
      void said.then(() => reject(new Error(`loadctl ended without saying ${text}:\n${heard.stdout}\n${heard.stderr}`)));
    });
  return { process: child, said, until };
}
