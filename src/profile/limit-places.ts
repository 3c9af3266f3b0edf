import type { LimitPlace } from '../core/criterion.js';
import { locate } from './document/place.js';
import { nodeAt, type Tree } from './document/tree.js';

/** Where a profile states its limits, in the order in which the schema reads them. */
export function limitPlaces(tree: Tree): (LimitPlace | null)[] {
  return ['sla', 'critical'].flatMap((section) => {
    const node = nodeAt(tree, [section]);
    return node?.kind === 'map' ? [...node.entries.values()].flatMap((entry) => stated(entry.node)).map(inFile) : [];
  });
}

/** A list states one limit with each of its items; a map states its own under `limit`. */
function stated(node: Tree): readonly Tree[] {
  if (node.kind === 'list') return node.items;
  return [nodeAt(node, ['limit']) ?? node];
}

function inFile({ place }: Tree): LimitPlace | null {
  return place.source.path === undefined ? null : { file: place.source.name, line: locate(place).line };
}
