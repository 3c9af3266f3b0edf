import type { ForeignKey } from '../catalog/foreign-keys.js';
import { aroundOne, lookAround } from '../catalog/surroundings.js';
import type { Session } from '../connection/session.js';
import type { SeededRows } from './seeded-rows.js';

/** Whether a key leads from what a set seeds. */
export function fills({ table, columns, values }: SeededRows, key: ForeignKey): boolean {
  if (key.table.oid !== table.oid) return false;
  return key.columns.every((name) => {
    const index = columns.findIndex((column) => column.name === name);
    return index >= 0 && values[index] !== null;
  });
}

/** The order in which sets are taken out: those whose rows reference another's before it; else the last one first. */
export async function takingOrder(session: Session, sets: readonly SeededRows[]): Promise<SeededRows[]> {
  const around = await lookAround(
    session,
    sets.map(({ table }) => table),
  );
  const lastFirst = [...sets].reverse();
  const [ordered, visited] = [new Set<SeededRows>(), new Set<SeededRows>()];
  const visit = (set: SeededRows) => {
    if (visited.has(set)) return;
    visited.add(set);
    const { keys } = aroundOne(around, set.table);
    for (const from of lastFirst) if (keys.some((key) => fills(from, key))) visit(from);
    ordered.add(set);
  };
  for (const set of lastFirst) visit(set);
  return [...ordered];
}
