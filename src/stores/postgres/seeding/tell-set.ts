import { errorMessage } from '../../../core/errors.js';
import type { SeededStep } from '../../../core/events.js';
import { dataPlace } from '../connection/places.js';
import { countNumbers } from '../rows/shards.js';
import { type Database, type SetOnItsWay, sumOf } from './database.js';
import { type Writing, writeSet } from './write-set.js';

/** Planners know nothing of rows that came a moment ago. */
const worthAnalyzing = 10_000;

/** Writes a set into one database and tells of it, from its beginning to its end. */
export async function tellSet(database: Database, set: SetOnItsWay, writing: Omit<Writing, 'progress'>): Promise<SeededStep> {
  const { session } = database;
  const { emit, clock } = writing.context;
  const { rows } = set;
  const step = `seed ${session.place.name} ${database.sets.indexOf(set) + 1} ${rows.set.name}`;
  const total = countNumbers(rows.numbers);
  const startedAt = clock.elapsed();
  emit({ type: 'step-started', step, work: { kind: 'seed', what: rows.table.inProfile, ...dataPlace(session) } });
  try {
    await writeSet(database, set, { ...writing, progress: (done) => emit({ type: 'step-progressed', step, done, total, unit: 'rows' }) });
  } catch (error) {
    emit({ type: 'step-failed', step, message: errorMessage(error) });
    throw error;
  }
  set.elapsedMs += clock.elapsed() - startedAt;
  const elapsedMs = Math.round(set.elapsedMs);
  const created = sumOf(set.written);
  const counts = { created, alreadyThere: total - created };
  const perSecond = Math.round(total / Math.max(elapsedMs / 1000, 0.001));
  emit({ type: 'step-finished', step, elapsedMs, result: 'seeded', ...counts, writtenAgain: 0, perSecond, unit: 'rows' });
  // Not being allowed to is no failure of the seed: autovacuum comes round.
  if (created >= worthAnalyzing) await session.query(`ANALYZE ${rows.table.quoted}`).catch(() => undefined);
  const { store, shard } = session.address;
  return { store, shard, set: rows.set.name, what: rows.table.inProfile, ...counts, conflicts: 0, elapsedMs, rowsPerSecond: perSecond };
}
