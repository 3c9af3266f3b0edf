import { type Address, addressText } from '../connection/address.js';
import type { RedisNode } from '../connection/node.js';

/** Connections to the nodes of a cluster, each made when it is first needed and anew when it broke. */
export interface NodePool {
  /** The connection to a node; throws what keeps us from it. */
  get(address: Address): Promise<RedisNode>;
  /** Takes over a connection that was made elsewhere. */
  add(node: RedisNode): void;
  /** Ends a connection that is not needed any more. */
  drop(name: string): void;
  close(): void;
}

export function nodePool(open: (address: Address) => Promise<RedisNode>): NodePool {
  const nodes = new Map<string, Promise<RedisNode>>();
  let closed = false;
  const drop = (name: string) => {
    void nodes.get(name)?.then(
      (node) => node.close(),
      () => undefined,
    );
    nodes.delete(name);
  };
  const connect = async (address: Address) => {
    const node = await open(address);
    if (closed) node.close();
    return node;
  };
  const forget = (name: string, known: Promise<RedisNode>) => {
    if (nodes.get(name) === known) nodes.delete(name);
  };
  const get = async (address: Address): Promise<RedisNode> => {
    const name = addressText(address);
    const known = nodes.get(name) ?? connect(address);
    nodes.set(name, known);
    try {
      const node = await known;
      if (node.isOpen()) return node;
    } catch (error) {
      forget(name, known);
      throw error;
    }
    forget(name, known);
    return get(address);
  };
  return {
    get,
    add: (node) => void nodes.set(node.name, Promise.resolve(node)),
    drop,
    close() {
      closed = true;
      for (const name of nodes.keys()) drop(name);
    },
  };
}
