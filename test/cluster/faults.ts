import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { clusterFolder, initOf, inNode, kubectl, type Node, pidIn, untilReady } from './cluster.js';
import { eventually } from './eventually.js';
import { order } from './keeper.js';

/** Ends a fault, and waits until the cluster is well again. The end of the test does, where the test has not. */
export type Undo = () => Promise<void>;

/** A node that may be cut off: node 1 is the network of the others. */
export type Worker = Exclude<Node, 1>;

/** Kills the API server; it stays away until it is started again. */
export async function killApiServer(): Promise<Undo> {
  const off = join(clusterFolder(), 'n1', 'off', 'apiserver');
  writeFileSync(off, '');
  await signal(1, 'apiserver', 'KILL');
  return undoneOnce(async () => {
    rmSync(off);
    await eventually(60, 'the API server answers again', () => kubectl(['get', '--raw', '/readyz']).catch(() => undefined));
    await followAnew();
    await untilReady([1, 2, 3], 120); // a kubelet sees that it was given up when its own watch is back
  });
}

/** Freezes a program of a node, like `kubelet`: what it started runs on. A frozen API server takes connections and never answers. */
export async function freeze(node: Node, program: 'kubelet' | 'apiserver'): Promise<Undo> {
  await signal(node, program, 'STOP');
  return undoneOnce(async () => {
    await signal(node, program, 'CONT');
    await untilReady([1, 2, 3]);
  });
}

/** Takes the cable of a node's network out: what is sent in either direction is lost, and no connection is told. */
export async function cutOff(node: Worker): Promise<Undo> {
  const cable = (state: 'up' | 'down') => inNode(1, ['ip', 'link', 'set', `to-n${node}`, state]);
  await cable('down');
  return undoneOnce(async () => {
    await cable('up');
    await untilReady([1, 2, 3]);
  });
}

/** Pulls the cable for so many seconds, by one command of the node: a busy machine does not make it longer. */
export async function cutOffFor(node: Worker, seconds: number): Promise<void> {
  const cable = `ip link set to-n${node}`;
  await inNode(1, ['sh', '-c', `${cable} down; sleep ${seconds}; ${cable} up`]);
}

/** Cuts a node's power: everything in it is gone at once. Undone, it starts again with its disk. */
export async function cutPower(node: Worker): Promise<Undo> {
  const init = initOf(node);
  process.kill(init, 'SIGKILL');
  await eventually(10, `node ${node} is without power`, () => (isThere(init) ? undefined : true));
  return undoneOnce(async () => {
    order(clusterFolder(), `start ${node}`);
    await eventually(10, `node ${node} starts`, () => (initOf(node) === init ? undefined : true));
    await untilReady([1, 2, 3], 120);
  });
}

/**
 * Starts the scheduler and the controllers again, which then list all there is. Left alone, their watches of an API server that
 * was away come back up to a minute late, each in its own time: pods were put on nodes that took none any more.
 */
async function followAnew(): Promise<void> {
  for (const program of ['scheduler', 'manager'] as const) await signal(1, program, 'KILL');
}

async function signal(node: Node, program: string, name: string): Promise<void> {
  const pid = pidIn(node, program);
  if (pid === undefined) throw new Error(`node ${node} runs no ${program}`);
  await inNode(node, ['kill', `-${name}`, String(pid)]);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function undoneOnce(undo: Undo): Undo {
  let undone: Promise<void> | undefined;
  const once = () => (undone ??= undo());
  onTestFinished(once, 200_000);
  return once;
}
