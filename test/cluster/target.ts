import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { startTarget, type Target } from '../support/target.js';
import { clusterFolder, initOf } from './cluster.js';

/** The address of node 1, which all pods and nodes reach. */
export const firstNode = '198.18.0.1';

/** Starts a target in this process that pods reach by an address of node 1; this machine does not. It is gone when the test is over. */
export async function targetForPods(answer?: (request: IncomingMessage, response: ServerResponse) => boolean): Promise<Target> {
  const target = await startTarget(answer);
  return { ...target, url: `http://${await forPods(new URL(target.url).host)}` };
}

/** Hands back an address of node 1 by which pods reach a server of this machine's loopback; this machine reaches nothing there. */
export async function forPods(host: string): Promise<string> {
  const socket = join(clusterFolder(), `target-${randomBytes(4).toString('hex')}`);
  await relay([], socket, host);
  return relay(['nsenter', '--target', String(initOf(1)), '--net'], `${firstNode}:0`, socket);
}

/** Carries connections from one address to another; hands back the first one, with its port. */
async function relay(within: readonly string[], from: string, to: string): Promise<string> {
  const [file = '', ...args] = [...within, join(clusterFolder(), 'kube'), 'relay', from, to];
  const child = execa(file, args, { stdin: 'ignore', reject: false, cleanup: true });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  const [address]: unknown[] = await once(createInterface({ input: child.stdout }), 'line');
  return String(address);
}
