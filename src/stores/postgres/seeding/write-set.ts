import { throwIfAborted } from '../../../core/abort.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { StoreContext } from '../../kind/types.js';
import { sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { countNumbers, partOf, type RowNumbers } from '../rows/shards.js';
import { mostTogether, proveAll } from './check.js';
import { inChunks, isPassing } from './chunks.js';
import { conflictsIn, inTheWay, isRival, notAsWritten, rivalsError } from './conflicts.js';
import { type Database, type SetOnItsWay, sumOf } from './database.js';
import { lookAt } from './look.js';
import { type Part, tryOut, writeParts } from './part.js';
import { isSummedUp } from './proof.js';
import { firstTried, splitAt, writingOrder } from './writing-order.js';

/** How long a transaction that writes is to take. */
const writeMs: Milliseconds = 300;
/** Without a pause of the profile's, a seed rests for this share of the time that it works. */
const usualRest = 0.08;
/** Of sets that do not fit one transaction: so many rows of each are tried together. */
const firstRows = 20;

/** How sets are written. */
export interface Writing {
  readonly context: StoreContext;
  readonly pauseMs: Milliseconds | undefined;
  /** Told how many of the set's rows are in. */
  readonly progress: (done: number) => void;
}

/** Writes what is not there of a set, and makes sure that all of it is there as it should be. */
export async function writeSet(database: Database, set: SetOnItsWay, writing: Writing): Promise<void> {
  const { context, pauseMs, progress } = writing;
  const { clock, signal } = context;
  if (!database.isBegun) await begin(database);
  const sessions = [database.session, ...database.helpers];
  const done = () => progress(set.there + sumOf(set.written));
  const chunks = {
    sessions: set.isTree ? [database.session] : sessions,
    numbers: set.isTree ? set.absent.splice(0) : writingOrder(set.rows, set.absent.splice(0)),
    aimMs: writeMs,
    restMs: (tookMs: Milliseconds) => pauseMs ?? tookMs * usualRest,
    clock,
    signal,
  };
  await inChunks(chunks, async (session, numbers) => {
    await writeChunk(session, set, numbers, context);
    done();
  });
  if (!(await isSummedUp(sessions, set, context))) {
    const proof = await proveAll(sessions, set.rows, context);
    if (proof.equal < countNumbers(set.rows.numbers)) throw await notAsWritten(database.session, set.rows, proof);
  }
  done();
}

/**
 * What a read cannot know, the first rows of all sets find out before there are many: what triggers and checks refuse, keys
 * over expressions, rows that are hidden. They are all of them where they are few: then a set may reference a later one.
 */
async function begin(database: Database): Promise<void> {
  database.isBegun = true;
  const { session, sets } = database;
  const areAll = sumOf(sets.flatMap(({ absent }) => absent)) <= mostTogether;
  const from = firstTried(sets, firstRows);
  const tried = sets.map((set) => ({ set, ...(areAll ? { numbers: set.absent, rest: [] } : takeFirst(set.absent, from)) }));
  const parts = tried.flatMap(({ set, numbers }) => numbers.map((some) => ({ set, rows: set.rows, numbers: some })));
  if (parts.length === 0) return;
  try {
    await writeTogether(session, parts, true);
  } catch (error) {
    // Sets that are written one after the other may do better: another store's, or rows that somebody writes just now.
    if (sqlState(error) === '23503' || isRival(error) || isPassing(error)) return;
    throw error;
  }
  for (const { set, rest } of tried) set.absent = rest;
}

/** Some of the numbers, the first ones from there on, and the others. */
function takeFirst(absent: readonly RowNumbers[], from: number): { numbers: RowNumbers[]; rest: RowNumbers[] } {
  const [below, above] = splitAt(absent, from);
  const [first, ...more] = above.length > 0 ? above : below;
  if (first === undefined) return { numbers: [], rest: [] };
  const behind = partOf(first, firstRows, countNumbers(first));
  const rest = [...(above.length > 0 ? below : []), ...(countNumbers(behind) > 0 ? [behind] : []), ...more];
  return { numbers: [partOf(first, 0, firstRows)], rest };
}

/** Writes rows of one set. Rows that somebody else wrote since they were looked for are looked at again. */
async function writeChunk(session: Session, set: SetOnItsWay, numbers: RowNumbers, context: StoreContext): Promise<void> {
  const { rows } = set;
  for (let some: RowNumbers | undefined = numbers; some !== undefined; ) {
    try {
      return await writeTogether(session, [{ set, rows, numbers: some }], set.isWatched);
    } catch (error) {
      if (!isRival(error)) throw error;
      throwIfAborted(context.signal);
      const look = await lookAt(session, rows, some);
      if (look.conflicts.length > 0) throw rivalsError(await conflictsIn(session, rows, look));
      const [absent] = look.absent;
      if (absent !== undefined && countNumbers(absent) === countNumbers(some)) {
        const refused = await inTheWay(session, rows, some, (each) => tryOut(session, { rows, numbers: each }));
        // A rival that was rolled back in the meantime is in nobody's way.
        if (refused !== undefined) throw refused;
      }
      set.there += look.equal;
      some = absent;
    }
  }
}

/** Writes parts in one transaction, and keeps the record of what is in. */
async function writeTogether(
  session: Session,
  parts: readonly (Part & { readonly set: SetOnItsWay })[],
  isReadBack: boolean,
): Promise<void> {
  let sent: string | undefined;
  const committing = (transaction: string) => {
    sent = transaction;
    for (const { set, numbers } of parts) set.unknown = [...set.unknown, { transaction, numbers }];
  };
  const heard = () => {
    for (const { set } of parts) set.unknown = set.unknown.filter(({ transaction }) => transaction !== sent);
  };
  try {
    await writeParts(session, { parts, isReadBack, committing });
  } catch (error) {
    // Only a server that says so, and goes on, has certainly written nothing.
    if (!/^(08|25P|57P)/.test(sqlState(error) ?? '08')) heard();
    throw error;
  }
  heard();
  for (const { set, numbers } of parts) {
    set.written.push(numbers);
    if (sent !== undefined) set.transactions.push(sent);
  }
}
