import type { Address } from '../connection/address.js';
import type { RedisNode } from '../connection/node.js';
import type { SlotMap } from './slot-map.js';

/** A cluster as it is seen at the moment, and the connections to its nodes. */
export interface Cluster {
  readonly store: string;
  /** The node that it is called by where none is to blame: the first that the profile lists. */
  readonly name: string;
  map(): SlotMap;
  /** Asks the nodes for the map anew; false where none of them could say. */
  refresh(): Promise<boolean>;
  /** The connection to a node. */
  node(address: Address): Promise<RedisNode>;
  /** Gives up a connection to a node that did not answer. */
  drop(name: string): void;
}
