import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whom a server runs as, where that is not the caller. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A server that is gone, with its folder, when it is stopped or when the process that started it is gone. */
export interface Kept {
  /** Ends the server and waits until it and its folder are gone. May be called twice. */
  stop(): Promise<void>;
}

// The shell holds the other end of a pipe from us: when we end, however we do, the pipe closes and it ends the server.
const keeper = `
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
( read -r _ <&3; kill -INT $server ) 2>/dev/null &
watcher=$!
wait $server
kill $watcher 2>/dev/null
rm -rf "$folder"
`;

/** A new folder under the system's temporary one, owned by `owner`. */
export function temporaryFolder(name: string, owner?: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), `loadctl-${name}-`));
  if (owner) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/** Below those that a system gives to connections (32768 and up on Linux, 49152 elsewhere): any other may be taken while a server starts. */
const ports = { from: 10_000, to: 32_000 };

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(ports.from, ports.to);
    if (await isFree(port)) return port;
  }
  throw new Error('no port of 127.0.0.1 is free');
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Starts `command` as the server that lives in `folder`, and waits until `ready` says so. */
export async function keep(
  command: readonly string[],
  folder: string,
  ready: () => boolean | Promise<boolean>,
  owner?: Owner,
): Promise<Kept> {
  const log = join(folder, 'log');
  const output = openSync(log, 'a');
  const input = openSync(log, 'r'); // the keeper removes the folder of a server that ended
  const child = spawn('/bin/sh', ['-c', keeper, 'keeper', folder, ...command], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', output, output],
    ...owner,
  });
  closeSync(output);
  child.unref();
  const kept = { stop: () => stop(child, folder) };
  const deadline = Date.now() + 30_000;
  try {
    while (child.exitCode === null && Date.now() < deadline) {
      if (await ready()) return kept;
      await sleep(20);
    }
    await kept.stop();
    throw new Error(`${command[0]} did not start: ${readFileSync(input, 'utf8').slice(-2000) || 'it said nothing'}`);
  } finally {
    closeSync(input);
  }
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.ref();
    const gone = once(child, 'exit');
    child.stdin?.end();
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
}
