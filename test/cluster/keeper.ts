import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('keeper.sh', import.meta.url));

/** The process that all nodes hang on. When the one that started it is gone, so is all of the cluster. */
export interface Keeper {
  readonly pid: number;
  /** Everything of the cluster is in here. */
  readonly folder: string;
  /** Ends nodes, control groups and folder, and waits until they are gone. */
  stop(): Promise<void>;
}

/** Starts one, with a folder and no node yet. */
export async function startKeeper(kube: string): Promise<Keeper> {
  const child = spawn('bash', [script, kube], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const first = createInterface({ input: child.stdout });
  const [folder]: unknown[] = await Promise.race([once(first, 'line'), ended]);
  first.close();
  if (typeof folder !== 'string' || child.pid === undefined) throw new Error('the keeper of the cluster ended at once');
  return { pid: child.pid, folder, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.stdin?.end();
  await ended;
}

/** Gives the keeper of that folder a line to obey: `certificates`, `start 2`, `relay`. Any process may. */
export function order(folder: string, line: string): void {
  appendFileSync(join(folder, 'orders'), `${line}\n`);
}

/** Removes what keepers left that were killed: a folder whose lock is not held any more. Hands back the folders. */
export function removeLeftovers(): string[] {
  const folders = readdirSync(tmpdir())
    .filter((name) => name.startsWith('loadctl-kube-'))
    .map((name) => join(tmpdir(), name));
  const left = folders.filter((folder) => existsSync(join(folder, 'lock')) && !isHeld(join(folder, 'lock')));
  for (const folder of left) spawnSync('bash', [script, '--clean', folder], { stdio: 'inherit' });
  return left;
}

/** What there still is of a cluster that is gone, as paths. */
export function remainsOf(folder: string): string[] {
  const root = '/sys/fs/cgroup';
  const hierarchies = [root, ...readdirSync(root).map((name) => join(root, name))].filter((path) => statSync(path).isDirectory());
  const groups = hierarchies.flatMap((path) => readdirSync(path).map((name) => join(path, name)));
  return [folder, ...groups.filter((path) => basename(path).startsWith(`${basename(folder)}-n`))].filter((path) => existsSync(path));
}

function isHeld(lock: string): boolean {
  return spawnSync('flock', ['--nonblock', lock, 'true']).status === 1;
}
