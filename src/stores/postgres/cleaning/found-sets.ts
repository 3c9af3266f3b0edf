import type { Clock } from '../../../core/os.js';
import type { FoundSet } from '../../kind/types.js';
import { type SeededRows, setName } from '../rows/seeded-rows.js';
import type { CleanedDatabase } from './cleaned-database.js';
import { countThere } from './set-rows.js';

/** The rows that are there of each set whose keys tell, and of sets as they were seeded before. */
export async function findSets({ session, seeded, former, vanished }: CleanedDatabase, clock: Clock): Promise<FoundSet[]> {
  const found: FoundSet[] = [];
  const add = async (rows: SeededRows, more: Pick<FoundSet, 'sets'>) => {
    // What vanished is missing for the next cleanup, too.
    const count = (await countThere({ session, clock }, rows)) + (vanished.get(rows) ?? 0);
    found.push({ set: rows.set, ...more, what: setName(rows), table: rows.table.inProfile, count });
  };
  for (const rows of seeded) if (rows.own !== undefined) await add(rows, {});
  for (const { rows, sets } of former) await add(rows, { sets });
  return found;
}
