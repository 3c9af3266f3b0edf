import type { FirstLook, RedisNode } from '../connection/node.js';
import { mostBytes, readTopology, type Topology } from './topology.js';

/** Asks a node for the cluster's shape; throws its error. */
export type TopologyReader = (node: RedisNode) => Promise<Topology>;

/**
 * Reads the shape of one cluster again and again. CLUSTER NODES is short; CLUSTER SLOTS, which names nodes as clients are to call them,
 * has a row for each range of slots with all its nodes: it is asked for only where the short one says something new, by whichever node.
 */
export function topologyReader(firstLook: FirstLook = () => Promise.resolve()): TopologyReader {
  let known: { readonly view: string; readonly topology: Topology } | undefined;
  return async (node) => {
    const [[, nodes] = []] = await node.send([['CLUSTER', 'NODES']]);
    const view = viewIn(nodes);
    if (known !== undefined && view !== '' && view === known.view) return known.topology;
    await firstLook(node, mostBytes(nodes));
    const topology = readTopology(await node.ask('CLUSTER', 'SLOTS'), nodes, node.address);
    known = { view, topology };
    return topology;
  };
}

/** What nodes agree on: who is there, as what, with which slots. Empty where an ACL keeps it from us. */
function viewIn(nodes: unknown): string {
  return String(nodes ?? '')
    .split('\n')
    .map((line) => line.split(' '))
    .map(([id = '', place, flags, primary, , , , , ...slots]) =>
      [id, place, flags?.replace('myself,', ''), primary, ...slots.filter((slot) => !slot.startsWith('['))].join(' ').trim(),
    )
    .sort()
    .join('\n')
    .trim();
}
