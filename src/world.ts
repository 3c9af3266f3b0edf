import { type ChildProcess, spawn as spawnChild } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Command } from './core/command.js';
import { errorCode } from './core/errors.js';
import type { Clock, Execute, ExecuteOptions, Process, ProcessEnd, Shell, Spawn, SpawnOptions, World } from './core/os.js';
import { forScreen } from './core/sanitise.js';
import { holdLock, lockState } from './world/held-lock.js';
import { linesTo } from './world/lines.js';
import { privateFolders } from './world/private-folder.js';
import { isRunning, markOf } from './world/process-mark.js';
import { gather } from './world/said.js';
import { type PatientScreen, patientScreen } from './world/screen.js';
import { type OwnSignals, suspension } from './world/suspend.js';
import { sweepTemporary } from './world/sweep.js';

/** The process loadctl runs in: the only door to the operating system. */
export interface OwnProcess extends Shell {
  /** Hears of an error that nobody caught. */
  onCrash(listener: (error: unknown) => void): void;
  /** Takes away what processes of this user left in the temporary folder that are dead. Never rejects. */
  sweep(): Promise<void>;
  /**
   * Ends the process once everything written is out. The only exit there is. Where stdout could not be written (a full disk), the
   * status is what `lost` makes of the system's code for that; without it, the same.
   */
  leave(status: number, lost?: (code: string) => number): Promise<never>;
}

/** Opens the one door to the operating system. */
export function openWorld(): OwnProcess {
  setMaxListeners(0); // of one signal each runner hears, however many there are; Node warns of more than ten
  const suspended = suspension(ownSignals);
  const stderr = patientScreen(process.stderr, 'talk', { clock, suspended });
  const stdout = patientScreen(isOneTerminal() ? process.stderr : process.stdout, 'results', { clock, suspended });
  return {
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    home: homeFolder(),
    clock,
    spawn,
    execute,
    who: { user: userName(), host: hostname() },
    versions: { node: process.versions.node },
    scheduledMs,
    mark: () => markOf(process.pid, execute),
    isRunning: (mark) => isRunning(mark, isThere, execute),
    holdLock: async (file) => onExit(await holdLock(file)),
    lockState,
    privateFolder: privateFolders(onExit),
    stdout,
    stderr,
    onInterrupt,
    keyboard: process.stdin.isTTY === true && process.stderr.isTTY === true ? process.stdin : undefined,
    refuseSuspension: suspended.refuse,
    ask,
    sweep: () => sweepTemporary({ lockState, uid: process.getuid?.() }),
    onCrash: (listener) =>
      void process.on('uncaughtException', (error) => {
        for (const screen of [stdout, stderr]) screen.endWhole();
        listener(error);
      }),
    leave: (status, lost = () => status) => leave(status, { stdout, stderr, lost }),
  };
}

const ownSignals: OwnSignals = {
  on: (of, listener) => void process.on(of, listener),
  off: (of, listener) => void process.off(of, listener),
  send: (signal) => void process.kill(process.pid, signal),
};

/** A timer of Node that is to wait for longer than this does not wait at all. */
const longestTimerMs = 2 ** 31 - 1;

const clock: Clock = {
  stamp: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const wait = (leftMs: number): NodeJS.Timeout => {
        if (leftMs <= longestTimerMs) return setTimeout(done, leftMs);
        return setTimeout(() => {
          timer = wait(leftMs - longestTimerMs);
        }, longestTimerMs);
      };
      let timer = wait(ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/** What was started and still runs: it does not outlive loadctl, however loadctl ends (but for SIGKILL). */
const children = new Set<ChildProcess>();

function keepTrack(child: ChildProcess): void {
  if (children.size === 0) process.on('exit', killChildren);
  children.add(child);
}

function loseTrack(child: ChildProcess): void {
  children.delete(child);
  if (children.size === 0) process.off('exit', killChildren);
}

function killChildren(): void {
  for (const child of children) if (!killGroup(child, 'SIGKILL')) child.kill('SIGKILL');
}

const spawn: Spawn = (command, options = {}) => {
  try {
    return follow(startChild(command, options), command, options);
  } catch (error) {
    return { pid: undefined, ended: Promise.resolve({ error: errorCode(error) ?? 'EINVAL' }), kill: () => false, write: () => {} };
  }
};

function startChild(command: Command, options: SpawnOptions): ChildProcess {
  const { env, cwd, stdin } = command;
  // Its shell outlives what is to end it gently.
  const { file, args } = options.leashed ? onLeash(command, "trap 'cut=1' INT\n") : command;
  const files: number[] = [];
  const sink = (where: SpawnOptions['stdout']): number | 'pipe' | 'ignore' => {
    if (where === undefined) return 'ignore';
    if (typeof where === 'function' || 'bytes' in where) return 'pipe';
    const descriptor = openSync(where.file, 'a', 0o600);
    files.push(descriptor);
    return descriptor;
  };
  try {
    const input = options.stdinPipe || stdin !== undefined ? 'pipe' : 'ignore';
    return spawnChild(file, [...args], {
      detached: options.ownGroup ?? false,
      stdio: [input, sink(options.stdout), sink(options.stderr), ...(options.leashed ? (['pipe'] as const) : [])],
      ...(env === undefined ? {} : { env: { ...env } }),
      ...(cwd === undefined ? {} : { cwd }),
    });
  } finally {
    for (const descriptor of files) closeSync(descriptor);
  }
}

function follow(child: ChildProcess, { stdin }: Command, options: SpawnOptions): Process {
  keepTrack(child);
  child.stdin?.on('error', () => {}); // the process is gone: its end says so
  if (stdin !== undefined) child.stdin?.write(stdin);
  if (!options.stdinPipe) child.stdin?.end();
  for (const stream of ['stdout', 'stderr'] as const) {
    const sink = options[stream];
    const input = child[stream];
    if (input === null || sink === undefined) continue;
    if (typeof sink === 'function') hearLines(input, sink);
    else if ('bytes' in sink) input.on('data', sink.bytes);
  }
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('error', (error) => resolve({ error: errorCode(error) ?? 'UNKNOWN' }));
    child.once('close', (exitCode, signal) => resolve(signal === null ? { exitCode: exitCode ?? 0 } : { signal }));
  });
  void ended.then(() => loseTrack(child));
  return {
    pid: child.pid,
    ended,
    kill: (signal) => (options.ownGroup ? killGroup(child, signal) : child.kill(signal)),
    write: (text) => void child.stdin?.write(text),
  };
}

function hearLines(input: Readable, hear: (line: string) => void): void {
  const { take, end } = linesTo(hear);
  input.on('data', take).once('end', end);
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal);
  } catch {
    return false; // the whole group is gone
  }
}

/** How long a process and all that it started may take to end when they are asked to. */
const graceMs = 1000;

/** Ends a process and all that it started once `signal` aborts, or after `timeoutMs`; the returned function calls that off. */
function endWith(child: ChildProcess, { signal, timeoutMs }: ExecuteOptions): () => void {
  const timers: NodeJS.Timeout[] = [];
  const end = () => {
    if (!killGroup(child, 'SIGTERM')) child.kill('SIGTERM');
    timers.push(setTimeout(() => killGroup(child, 'SIGKILL'), graceMs));
  };
  if (timeoutMs !== undefined) timers.push(setTimeout(end, timeoutMs));
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end, { once: true });
  return () => {
    for (const timer of timers) clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  };
}

/** Runs a command, and kills it when descriptor 3 ends: that is when whoever runs this is gone, whatever it died of. */
const leash = `exec 4<&0
"$@" <&4 3<&- 4<&- &
command=$!
{ read -r line; kill -KILL "$command"; } <&3 >/dev/null 2>&1 3<&- 4<&- &
exec 3<&- 4<&-
status= cut=1
while [ -n "$cut" ]; do cut=; wait "$command"; last=$?; [ "$last" = 127 ] || status=$last; done
kill $! 2>/dev/null
exit "\${status:-$last}"`;

function onLeash({ file, args }: Command, before = ''): Pick<Command, 'file' | 'args'> {
  return { file: '/bin/sh', args: ['-c', `${before}${leash}`, 'loadctl', file, ...args] };
}

const execute: Execute = async (command, options = {}) => {
  const { env, cwd, stdin } = command;
  const { execa } = await import('execa');
  const { file, args } = options.leashed ? onLeash(command) : command;
  const child = execa(file, args, {
    reject: false,
    stripFinalNewline: false,
    // Ctrl-C in the terminal is loadctl's to act on: it must not look like a failure of what it runs.
    detached: true,
    buffer: false,
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...(options.leashed ? (['pipe'] as const) : [])],
    ...(stdin === undefined ? {} : { input: stdin }),
    ...(env === undefined ? {} : { env, extendEnv: false }),
    ...(cwd === undefined ? {} : { cwd }),
  });
  keepTrack(child);
  const callOff = endWith(child, options);
  const [stdout, stderr, { exitCode, signal: killedBy, code }] = await Promise.all([gather(child.stdout), gather(child.stderr), child]);
  callOff();
  loseTrack(child);
  const said = { stdout, stderr };
  if (killedBy !== undefined) return { signal: killedBy, ...said };
  return exitCode === undefined ? { error: code ?? 'UNKNOWN', ...said } : { exitCode, ...said };
};

function onExit(undo: (() => void) | undefined): void {
  if (undo !== undefined) process.on('exit', undo);
}

/** Of the main thread, which is the one that all of loadctl's own code runs on (proc(5): nanoseconds on a CPU, and waiting for one). */
function scheduledMs(): number | undefined {
  try {
    const [ran = Number.NaN, waited = Number.NaN] = readFileSync('/proc/self/schedstat', 'utf8').split(' ').map(Number);
    return Number.isNaN(ran + waited) ? undefined : (ran + waited) / 1e6;
  } catch {
    return undefined;
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** A container's uid may have no home: then it is `/`, as Docker has it. */
function homeFolder(): string {
  const { HOME = '' } = process.env;
  if (HOME !== '') return HOME;
  try {
    return homedir();
  } catch {
    return '/';
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? process.env.LOGNAME ?? `uid ${process.getuid?.() ?? '?'}`; // a container's uid may have no name
  }
}

/** What waits for one terminal on two descriptors would lose its order. */
function isOneTerminal(): boolean {
  return process.stdout.isTTY && process.stderr.isTTY && fstatSync(1).rdev === fstatSync(2).rdev;
}

const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** npm hands Ctrl-C on to a child that already got it from the terminal: so soon after another, the same signal is that one. */
const echoMs = 200;
let wasInterrupted = false;

const onInterrupt: World['onInterrupt'] = (listener) => {
  let count = 0;
  let last = { signal: '', at: Number.NEGATIVE_INFINITY };
  const hear = (signal: NodeJS.Signals) => {
    const at = clock.elapsed();
    const echo = signal === last.signal && at - last.at < echoMs;
    last = { signal, at };
    wasInterrupted = true;
    if (echo) return;
    count += 1;
    listener(count, signal);
  };
  for (const signal of interrupts) process.on(signal, hear);
  return () => {
    for (const signal of interrupts) process.off(signal, hear);
  };
};

const ask: Shell['ask'] = (question, signal) =>
  new Promise((resolve) => {
    if (process.stdin.isTTY !== true || process.stderr.isTTY !== true || signal.aborted) return resolve(undefined);
    const line = createInterface({ input: process.stdin, output: process.stderr });
    const answer = (text: string | undefined) => {
      signal.removeEventListener('abort', giveUp);
      line.off('close', giveUp);
      resolve(text);
      line.close();
    };
    const giveUp = () => {
      process.stderr.write('\n');
      answer(undefined);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    line.once('SIGINT', giveUp);
    line.once('close', giveUp);
    line.question(forScreen(question), answer);
  });

/** Whose reader takes nothing is waited for so long, and no longer than a moment once somebody wants this to end. */
const patience = { usual: 30_000, interrupted: 500 };

async function leave(
  status: number,
  { stdout, stderr, lost }: { readonly stdout: PatientScreen; readonly stderr: PatientScreen; readonly lost: (code: string) => number },
): Promise<never> {
  for (const signal of interrupts) process.on(signal, () => process.exit(status));
  const patient = () => (wasInterrupted ? patience.interrupted : patience.usual);
  await Promise.all([stdout.read(patient), stderr.read(patient)]);
  if (stdout.lost === undefined) process.exit(status);
  const worse = lost(stdout.lost);
  await stderr.read(patient);
  process.exit(worse);
}
