import type { Address } from '../connection/address.js';
import { slotCount, slotOf } from './slots.js';
import type { Primary, Topology } from './topology.js';

/** What is known of a cluster by now: which node holds which slot. */
export interface SlotMap {
  /** The node that holds a key; undefined where no node does. */
  ownerOf(key: string | Buffer): Address | undefined;
  holderOf(slot: number): Address | undefined;
  readonly primaries: readonly Primary[];
  readonly nodes: readonly Address[];
  readonly isWhole: boolean;
  /** How many bytes of a node's memory its answer takes, at most. */
  readonly answerBytes: number;
  /** A node said that this slot is another one's by now. */
  move(slot: number, to: Address): void;
}

export function slotMap({ primaries, nodes, isWhole, answerBytes }: Topology): SlotMap {
  const owners = new Array<Address | undefined>(slotCount).fill(undefined);
  for (const { address, ranges } of primaries) for (const [from, to] of ranges) owners.fill(address, from, to + 1);
  return {
    primaries,
    nodes,
    isWhole,
    answerBytes,
    ownerOf: (key) => owners[slotOf(key)],
    holderOf: (slot) => owners[slot],
    move(slot, to) {
      owners[slot] = to;
    },
  };
}
