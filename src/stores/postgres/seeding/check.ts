import { LoadctlError } from '../../../core/errors.js';
import { formatCount } from '../../../core/quantities.js';
import { addConflicts, type Conflicts, noConflicts, type StoreContext } from '../../kind/types.js';
import { foreignKeysTo } from '../catalog/foreign-keys.js';
import { checkTaking } from '../cleaning/take-seeded.js';
import type { Session } from '../connection/session.js';
import { type SeededRows, setName } from '../rows/seeded-rows.js';
import { fills } from '../rows/set-order.js';
import type { RowNumbers } from '../rows/shards.js';
import { inChunks } from './chunks.js';
import { conflictsIn, seedingFailure } from './conflicts.js';
import { type Database, type SetOnItsWay, sumOf } from './database.js';
import { addLooks, areAllThere, isEmpty, type Look, lookAt, nothingSeen } from './look.js';
import { lastPage } from './proof.js';

/** So many rows are written in one transaction. */
export const mostTogether = 5000;

const readMs = 500;

/** Holds every set of a database against what is there, and refuses what could not be written or taken back. Only reads. */
export async function checkSets(database: Database, others: number, context: StoreContext): Promise<Conflicts> {
  const { session, sets } = database;
  let conflicts = noConflicts;
  for (const set of sets) {
    const startedAt = context.clock.elapsed();
    const look = await lookAtSet(session, set, context);
    set.absent = [...look.absent];
    set.there = look.equal;
    conflicts = addConflicts(conflicts, await conflictsIn(session, set.rows, look));
    set.elapsedMs = context.clock.elapsed() - startedAt;
  }
  const count = sumOf(sets.flatMap(({ absent }) => absent));
  if (count > mostTogether) await refuseLaterOnes(session, sets);
  // One transaction of one database is rolled back; all else is taken back row by row.
  if (count > 0 && count + others > mostTogether)
    for (const { rows, absent } of sets) if (absent.length > 0) await checkTaking(session, rows.table);
  return conflicts;
}

async function lookAtSet(session: Session, set: SetOnItsWay, context: StoreContext): Promise<Look> {
  const { rows } = set;
  const none = sumOf([rows.numbers]) === 0;
  if (none || (await isEmpty(session, rows))) return { ...nothingSeen, absent: none ? [] : [rows.numbers] };
  set.firstPage = await lastPage(session, rows);
  return lookAtAll([session], rows, context).catch(async (error: unknown) => Promise.reject(await seedingFailure(session, rows, error)));
}

/** Looks whether all of a set is there as it should be: what is in its place where it is not. */
export async function proveAll(sessions: readonly Session[], rows: SeededRows, context: StoreContext): Promise<Look> {
  return lookAtAll(sessions, rows, context, async (session, numbers) =>
    (await areAllThere(session, rows, numbers)) ? { ...nothingSeen, equal: sumOf([numbers]) } : lookAt(session, rows, numbers),
  );
}

/** Looks at all rows of a set, in short reads; with several sessions at the same time. */
async function lookAtAll(
  sessions: readonly Session[],
  rows: SeededRows,
  { clock, signal }: StoreContext,
  look: (session: Session, numbers: RowNumbers) => Promise<Look> = (session, numbers) => lookAt(session, rows, numbers),
): Promise<Look> {
  const seen: [number, Look][] = [];
  const chunks = { sessions, numbers: [rows.numbers], aimMs: readMs, clock, signal };
  await inChunks(chunks, async (session, numbers) => {
    seen.push([firstOf(numbers), await look(session, numbers)]);
  });
  return seen
    .sort(([one], [other]) => one - other)
    .map(([, look]) => look)
    .reduce(addLooks, nothingSeen);
}

function firstOf(numbers: RowNumbers): number {
  return numbers.kind === 'even' ? numbers.first : (numbers.list[0] ?? 0);
}

/** A set whose rows reference a later one's is written with it in one transaction, and that is not to be long. */
async function refuseLaterOnes(session: Session, sets: readonly SetOnItsWay[]): Promise<void> {
  const missing = sets.filter(({ absent }) => absent.length > 0);
  for (const [index, { rows }] of missing.entries()) {
    const keys = await foreignKeysTo(session, rows.table);
    const earlier = missing.slice(0, index).find((set) => keys.some((key) => fills(set.rows, key)));
    if (earlier === undefined) continue;
    throw new LoadctlError(
      'invalid-profile',
      `${session.place.name}: ${setName(earlier.rows)} references ${setName(rows)}, which comes after it, and there are more than ${formatCount(mostTogether)} rows to write`,
      {
        hint: `List ${rows.set.name} further up in \`seed\`.`,
      },
    );
  }
}
