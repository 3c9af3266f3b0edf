import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A path in the project's folder. */
export const inRoot = (...names) => join(root, ...names);
/** Aborted by the first SIGINT or SIGTERM: whatever runs is ended. */
export const interrupted = new AbortController();

/** A failure that the person at the keyboard can fix; `fix` says how. */
export class Unready extends Error {
  constructor(message, fix, status = 115) {
    super(message);
    this.fix = fix;
    this.status = status;
  }
}

/** Runs a command to its end: {exitCode | signal | error, stdout, stderr}. Never throws. */
export function execute({ file, args, env, cwd }, { timeoutMs, signal = interrupted.signal } = {}) {
  return new Promise((resolve) => {
    const said = { stdout: '', stderr: '' };
    const child = spawn(file, args, {
      cwd: cwd ?? root,
      env: env ?? process.env,
      signal,
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (said[name] += text));
    child.on('error', (error) => resolve({ ...said, error: error.code ?? error.message }));
    child.on('close', (exitCode, ended) => resolve(exitCode === null ? { ...said, signal: ended } : { ...said, exitCode }));
  });
}

/** Runs a command that has to succeed. */
export async function mustRun(what, command, fix, status) {
  const said = await execute(command);
  if (said.exitCode !== 0) throw new Unready(`${what} failed: ${said.error ?? `\n${(said.stdout + said.stderr).trim()}`}`, fix, status);
}

/** The first of these programs on the PATH. */
export function onPath(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
