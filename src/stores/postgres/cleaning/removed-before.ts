import type { RemovedBefore, StoreContext } from '../../kind/types.js';
import { outcomesOf } from '../pages/outcomes.js';
import type { CleanedDatabase } from './cleaned-database.js';

/** What earlier cleanups removed of the sets, by their notes and by what the server knows of transactions that they did not hear of again. */
export async function removedBefore({ session, removals }: CleanedDatabase, context: StoreContext): Promise<RemovedBefore[]> {
  const { sets, open } = await removals.notedBefore(session.address);
  const outcomes = await outcomesOf(
    session,
    open.map(({ transaction }) => transaction),
    context,
  );
  const unsure = open.flatMap(({ transaction, sets: counts }) => {
    const outcome = outcomes.get(transaction);
    if (outcome === 'aborted') return [];
    return Object.entries(counts).map(([fingerprint, rows]) =>
      outcome === 'committed' ? { fingerprint, rows, unknown: 0 } : { fingerprint, rows: 0, unknown: rows },
    );
  });
  return [...[...sets].map(([fingerprint, rows]) => ({ fingerprint, rows, unknown: 0 })), ...unsure];
}
