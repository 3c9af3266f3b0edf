import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clusterFolder, hasCluster } from '../cluster/cluster.js';
import { eventually } from '../cluster/eventually.js';
import { order, remainsOf, removeLeftovers } from '../cluster/keeper.js';

const keeper = fileURLToPath(new URL('../cluster/keeper.sh', import.meta.url));

/** Stands for the suite: it holds a keeper and does nothing else. Its first line is the keeper's id, the second the folder. */
const holder = `
const keeper = require('node:child_process').spawn('bash', process.argv.slice(1), { detached: true, stdio: ['pipe', 'inherit', 'inherit'] });
console.log(keeper.pid);
setInterval(() => {}, 60_000);
`;

interface Held {
  readonly holder: ChildProcess;
  readonly keeperPid: number;
  readonly folder: string;
}

/** A cluster of one node besides the suite's, whose kubelet runs. */
async function startHeld(): Promise<Held> {
  const kube = join(clusterFolder(), 'kube');
  const child = spawn(process.execPath, ['-e', holder, keeper, kube], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = String((await lines.next()).value);
  const second = String((await lines.next()).value);
  const [keeperPid, folder] = first.startsWith('/') ? [Number(second), first] : [Number(first), second];
  cpSync(join(clusterFolder(), 'images', 'pause.tar'), join(folder, 'images', 'pause.tar'));
  for (const line of ['certificates', 'start 1', 'relay']) order(folder, line);
  await eventually(90, 'the kubelet runs', () => existsSync(join(folder, 'n1', 'pids', 'kubelet')) || undefined);
  expect(await eventually(10, 'its pods have a control group', () => remainsOf(folder)[1])).toContain(basename(folder));
  return { holder: child, keeperPid, folder };
}

/** The processes, of all of this machine, that a cluster's folder or its first node's namespace shows. */
function processesOf(folder: string, namespace: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`) === namespace || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

const namespaceOf = (folder: string) => readlinkSync(`/proc/${readFileSync(join(folder, 'n1', 'init'), 'utf8').trim()}/ns/pid`);

describe.skipIf(!hasCluster)('nothing is left of a cluster', () => {
  test('whose suite was killed: its keeper removes everything', async () => {
    const { holder, folder } = await startHeld();
    const namespace = namespaceOf(folder);
    expect(processesOf(folder, namespace).length).toBeGreaterThan(5);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await eventually(30, 'the folder is gone', () => !existsSync(folder) || undefined);
    expect({ processes: processesOf(folder, namespace), remains: remainsOf(folder) }).toEqual({ processes: [], remains: [] });
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(folder);
  });

  test('whose keeper was killed: its processes end with it, and the next start removes the rest', async () => {
    const { keeperPid, folder } = await startHeld();
    const namespace = namespaceOf(folder);
    process.kill(keeperPid, 'SIGKILL');
    await eventually(30, 'its processes are gone', () => processesOf(folder, namespace).length === 0 || undefined);
    expect(removeLeftovers()).toEqual([folder]);
    expect(remainsOf(folder)).toEqual([]);
    expect(existsSync(clusterFolder())).toBe(true);
  });
});
