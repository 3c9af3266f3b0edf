import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeBinaries } from './build.js';
import { type Node, untilReady } from './cluster.js';
import { eventually } from './eventually.js';
import { writeImages } from './images.js';
import { order, remainsOf, removeLeftovers, startKeeper } from './keeper.js';
import { whyNoCluster } from './machine.js';

const nodes: readonly Node[] = [1, 2, 3];

/** Starts the cluster of the suite, and names its folder to all tests. What goes wrong here ends the suite; the keeper cleans up. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  const reason = whyNoCluster();
  if (reason !== undefined) return note(`skipped: ${reason}`);
  const binaries = await kubeBinaries(note);
  for (const folder of removeLeftovers()) note(`removed what an earlier one left: ${folder}`);
  const begun = performance.now();
  const { folder, stop } = await startKeeper(binaries.kube);
  process.env.LOADCTL_CLUSTER = folder;
  try {
    order(folder, 'certificates');
    await writeImages(binaries, join(folder, 'images'));
    for (const node of nodes) order(folder, `start ${node}`);
    await writeKubeconfig(folder);
    await untilReady(nodes, 180);
  } catch (error) {
    note(`did not start. ${lastWords(folder)}`);
    await stop();
    throw error;
  }
  note(`${nodes.length} nodes are Ready after ${seconds(begun)} s`);
  return async () => {
    const ending = performance.now();
    await stop();
    const remains = remainsOf(folder);
    if (remains.length > 0) throw new Error(`The test cluster left ${remains.join(', ')}`);
    note(`removed after ${seconds(ending)} s`);
  };
}

const seconds = (begun: number) => ((performance.now() - begun) / 1000).toFixed(1);

function note(line: string): undefined {
  console.log(`test cluster: ${line}`);
}

/** The administrator's as node 1 has it, with the address that is relayed there. */
async function writeKubeconfig(folder: string): Promise<void> {
  order(folder, 'relay');
  const address = await eventually(30, 'the relay listens', () => read(join(folder, 'address')).trim() || undefined);
  const within = read(join(folder, 'certificates', 'admin.kubeconfig'));
  writeFileSync(join(folder, 'kubeconfig'), within.replace('127.0.0.1:6443', address), { mode: 0o600 });
}

function lastWords(folder: string): string {
  return nodes.map((node) => read(join(folder, `n${node}`, 'log', 'node.log')).slice(-1000)).join('\n');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
