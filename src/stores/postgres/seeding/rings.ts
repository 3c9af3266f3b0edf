import { type Hazard, refuseHazards } from '../../kind/types.js';
import { type ForeignKey, foreignKeysTo } from '../catalog/foreign-keys.js';
import type { Session } from '../connection/session.js';
import { type SeededRows, setName } from '../rows/seeded-rows.js';
import { fills } from '../rows/set-order.js';

/** A set whose rows reference those of another one. */
interface Reference {
  readonly from: SeededRows;
  readonly to: SeededRows;
  readonly key: ForeignKey;
}

/** Refuses (112) sets that reference each other in a ring: none of their rows could be removed before the others are. */
export async function refuseRings(session: Session, sets: readonly SeededRows[]): Promise<void> {
  const references: Reference[] = [];
  for (const to of sets) {
    for (const key of await foreignKeysTo(session, to.table))
      references.push(...sets.filter((from) => fills(from, key) && from.table.oid !== to.table.oid).map((from) => ({ from, to, key })));
  }
  const ring = sets.map((set) => ringFrom(set, references)).find((found) => found !== undefined);
  if (ring !== undefined) refuseHazards([hazardOf(session, ring)]);
}

/** The shortest way from a set along references back to its table. */
function ringFrom({ table }: SeededRows, references: readonly Reference[]): Reference[] | undefined {
  const seen = new Set<number>();
  for (let ways = references.filter(({ from }) => from.table.oid === table.oid).map((one) => [one]); ways.length > 0; ) {
    const longer: Reference[][] = [];
    for (const way of ways) {
      const oid = way.at(-1)?.to.table.oid ?? 0;
      if (oid === table.oid) return way;
      if (seen.has(oid)) continue;
      seen.add(oid);
      longer.push(...references.filter(({ from }) => from.table.oid === oid).map((next) => [...way, next]));
    }
    ways = longer;
  }
  return undefined;
}

function hazardOf({ place }: Session, ring: readonly Reference[]): Hazard {
  const steps = ring.map(({ from, to, key }) => `  ${setName(from)} references ${setName(to)} by ${key.columns.join(', ')} (${key.name})`);
  const columns = ring.map(({ from, key }) => `${from.set.name}.${key.columns.join(', ')}`);
  return {
    message: `${place.name}: the sets reference each other in a ring, so that none of their rows could be removed before the others`,
    hint: `Leave one of these columns out of the seed: ${columns.join('; ')}.`,
    lines: steps,
  };
}
