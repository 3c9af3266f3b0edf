import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPlace } from './place.js';

const project = join(fileURLToPath(import.meta.url), '..', '..', '..', '..');
const keepRunning = process.argv.includes('--keep');
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const interruptedStatus = 105;

let loadctl: ChildProcess | undefined;
const interrupted = new AbortController();
const undos: (() => void | Promise<void>)[] = [];

process.stdout.on('error', () => {}); // its reader may leave (`| head`)

// loadctl has its own way to end a load: it gets the signal, and the servers go when it is done.
for (const signal of signals) {
  process.on(signal, () => {
    interrupted.abort();
    loadctl?.kill(signal);
  });
}

try {
  process.exitCode = await demo();
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  process.exitCode = interruptedStatus;
} finally {
  for (const undo of undos.reverse()) await undo();
  say('\nEverything that was started here is gone; runs are kept in .loadctl/runs.');
  const page = newestPage();
  if (page !== undefined) say(`The page of this run, for a browser: ${page}`);
}

/** The page of the newest run: ids of runs begin with their time. */
function newestPage(): string | undefined {
  const runs = join(project, '.loadctl', 'runs');
  const newest = existsSync(runs) ? readdirSync(runs).sort().at(-1) : undefined;
  const page = join(runs, newest ?? '', 'report.html');
  return newest !== undefined && existsSync(page) ? page : undefined;
}

/** The servers, then what a user would type; hands back loadctl's own exit status. */
async function demo(): Promise<number> {
  const place = await startPlace((undo) => undos.push(undo), sayUnlessInterrupted);
  const status = await run(['test', '--env', 'dev', '--set', 'workload.duration=50s'], place.env);
  if (keepRunning && !interrupted.signal.aborted) {
    tellWhatNext(join(place.folder, 'env'));
    await untilInterrupted();
  }
  return status;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  say(`\n$ loadctl ${args.join(' ')}`);
  const bin = join(project, 'bin', 'loadctl.js');
  loadctl = spawn(process.execPath, [bin, ...args], {
    cwd: project,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [status] = await once(loadctl, 'exit');
  loadctl = undefined;
  return status ?? interruptedStatus;
}

function tellWhatNext(envFile: string): void {
  say(`
The servers stay. In another terminal, in ${project}:
  . ${envFile}
and then for example:
  node bin/loadctl.js run --env dev --set workload.duration=20s
  node bin/loadctl.js verify
  node bin/loadctl.js cleanup --env dev --seeded
To end them: Ctrl-C here, or kill ${process.pid}`);
}

/** A pending promise alone does not keep Node alive; a timer does. */
async function untilInterrupted(): Promise<void> {
  const alive = setInterval(() => {}, 60_000);
  if (!interrupted.signal.aborted) await once(interrupted.signal, 'abort');
  clearInterval(alive);
}

function sayUnlessInterrupted(line: string): void {
  interrupted.signal.throwIfAborted();
  say(line);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
