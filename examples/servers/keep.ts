import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
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

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port of 127.0.0.1 is free');
  return address.port;
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
  for (;;) {
    const said = existsSync(log) ? readFileSync(log, 'utf8') : 'it ended at once';
    if (child.exitCode !== null || Date.now() > deadline) {
      await kept.stop();
      throw new Error(`${command[0]} did not start: ${said.slice(-2000)}`);
    }
    if (await ready()) return kept;
    await sleep(20);
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
