import type { SeedEntries } from '../../../profile/sections/schema.js';
import type { RowSource } from '../../../profile/templates/pieces.js';
import { render } from '../../../profile/templates/pieces.js';
import type { NamedSet } from '../../../profile/templates/sets.js';
import type { FoundSet, StoreTask } from '../../kind/types.js';
import type { Servers } from '../connection/servers.js';
import { keyPieces } from '../keys/entries.js';
import { countKeys, setName } from './take-seeded.js';

/** So many keys are made at a time. */
const atOnce = 100_000;

/** The entries that are there of each set that does not expire, and of sets as they were seeded before. */
export async function findSets(open: () => Promise<Servers>, task: StoreTask): Promise<FoundSet[]> {
  const found: FoundSet[] = [];
  for (const set of task.entries.filter(isLasting)) found.push(await findSet(await open(), set, task.source(set)));
  for (const { set, source, sets } of task.former)
    if (!('table' in set) && isLasting(set)) found.push({ ...(await findSet(await open(), set, source)), sets });
  return found;
}

async function findSet(servers: Servers, set: NamedSet<SeedEntries>, source: RowSource): Promise<FoundSet> {
  const pieces = keyPieces(set, source);
  let count = 0;
  for (let from = 1; from <= set.rows; from += atOnce) {
    const keys = Array.from({ length: Math.min(atOnce, set.rows - from + 1) }, (_, index) => render(pieces, from + index));
    count += await countKeys(servers, keys);
  }
  return { set, what: setName(servers, set), count };
}

function isLasting({ ttl }: SeedEntries): boolean {
  return ttl === undefined;
}
