import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa, type Options } from 'execa';
import { eventually } from './eventually.js';

/** A node's number: node 1 carries the control plane, too. */
export type Node = 1 | 2 | 3;

/** Whether there is a cluster: the suite says once why there is none, and its tests are skipped. */
export const hasCluster = process.env.LOADCTL_CLUSTER !== undefined;

/** The folder of the cluster that the suite has started. */
export function clusterFolder(): string {
  const folder = process.env.LOADCTL_CLUSTER;
  if (folder === undefined) throw new Error('There is no test cluster: npm run test:kubernetes starts it.');
  return folder;
}

/** The kubeconfig of an administrator, by way of the host's loopback; its context is `test`. */
export const kubeconfig = (): string => join(clusterFolder(), 'kubeconfig');

/** Calls kubectl and hands back what it printed; throws with its words where it fails. */
export async function kubectl(args: readonly string[], options: Pick<Options, 'input' | 'timeout'> = {}): Promise<string> {
  const binary = join(clusterFolder(), 'kube');
  const call = ['kubectl', '--kubeconfig', kubeconfig(), `--cache-dir=${join(clusterFolder(), 'cache')}`, '--request-timeout=10s', ...args];
  const { stdout } = await execa(binary, call, { timeout: 60_000, ...options, lines: false, encoding: 'utf8' });
  return stdout;
}

/** The names of the nodes that are Ready now. */
export async function readyNodes(): Promise<string[]> {
  const path = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}';
  const said = await kubectl(['get', 'nodes', `--output=jsonpath=${path}`]).catch(() => '');
  return said.split(' ').flatMap((line) => (line.endsWith('=True') ? [line.replace('=True', '')] : []));
}

/** Waits until these nodes are Ready. */
export async function untilReady(nodes: readonly Node[], seconds = 60): Promise<void> {
  await eventually(seconds, `nodes ${nodes.join(', ')} of the test cluster are Ready`, async () => {
    const ready = await readyNodes();
    return nodes.every((node) => ready.includes(`n${node}`)) || undefined;
  });
}

/** The id, on this machine, of a node's first process. */
export function initOf(node: Node): number {
  return Number(readFileSync(join(clusterFolder(), `n${node}`, 'init'), 'utf8'));
}

/** Runs a command in a node. */
export async function inNode(node: Node, command: readonly string[]): Promise<string> {
  const { stdout } = await execa('nsenter', ['--target', String(initOf(node)), '--mount', '--net', '--pid', '--uts', '--ipc', ...command]);
  return stdout;
}

/** The id of a node's program, like `kubelet`, as the node counts; undefined where it does not run. */
export function pidIn(node: Node, name: string): number | undefined {
  const file = join(clusterFolder(), `n${node}`, 'pids', name);
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}
