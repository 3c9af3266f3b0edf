import { throwIfAborted } from '../../../core/abort.js';
import { errorMessage, LoadctlError } from '../../../core/errors.js';
import { formatCount } from '../../../core/quantities.js';
import type { StoreContext } from '../../kind/types.js';
import { findHindrances } from '../catalog/hindrances.js';
import { lookAroundOne } from '../catalog/surroundings.js';
import { idsReturning } from '../cleaning/ledger.js';
import type { Asked } from '../cleaning/look.js';
import { type Taking, takeSeededRows } from '../cleaning/take-seeded.js';
import { dataPlace } from '../connection/places.js';
import type { Session } from '../connection/session.js';
import { openWorkSession } from '../connection/sessions.js';
import { isLocked } from '../lock/try-lock.js';
import type { Looking } from '../pages/look.js';
import { outcomesOf } from '../pages/outcomes.js';
import { takingOrder } from '../rows/set-order.js';
import { eachNumber, type RowNumbers } from '../rows/shards.js';
import { findTargets } from '../selection/targets.js';
import { type Database, type SetOnItsWay, sumOf } from './database.js';

/**
 * Takes back what this seed wrote into a database, a set before those that it references; the connection may be what failed, so a
 * new one is made. `until` ends it between two transactions, so that how many rows are out is known.
 */
export async function takeBackFrom(database: Database, { config, task, context: outer }: Asked, context: StoreContext): Promise<void> {
  const { address } = database.session;
  const until = outer.signal;
  const { named } = task;
  const begun = database.sets.filter(({ written, unknown }) => written.length + unknown.length > 0);
  if (begun.length === 0) return;
  const place = dataPlace({ address });
  const command = `loadctl cleanup ${named} --seeded`;
  const tell = (set: SetOnItsWay, why: string) =>
    context.emit({ type: 'warned', code: 'seed-not-taken-back', place, what: set.rows.table.inProfile, why, command });
  const waiting = new Set(begun);
  let session: Session | undefined;
  try {
    session = await openWorkSession(address, context);
    const { removals } = context;
    // An entry that cannot be found keeps no row back; a cleanup says what is wrong with it.
    const targets = removals === undefined ? [] : await findTargets(session, config, task).catch(unlessBug);
    const order = await takingOrder(
      session,
      begun.map(({ rows }) => rows),
    );
    for (const set of begun.sort((one, other) => order.indexOf(one.rows) - order.indexOf(other.rows))) {
      throwIfAborted(until);
      await askForSent(session, set, context);
      if (!(await isLocked(session, context.lockSessions?.()))) throw new Error('the lock that keeps other runs out was lost');
      const returning = removals && idsReturning({ session, removals, targets }, set.rows);
      const left = await takeBackSet(
        set,
        { named, ...(returning === undefined ? {} : { returning }) },
        { session, clock: context.clock, signal: until },
      );
      if (left > 0) tell(set, `${formatCount(left)} rows are left`);
      [set.left, set.unknown] = [left, []];
      waiting.delete(set);
    }
  } catch (error) {
    for (const set of waiting) tell(set, errorMessage(error));
  } finally {
    await session?.close();
  }
}

function unlessBug(error: unknown): [] {
  if (!(error instanceof LoadctlError)) throw error;
  return [];
}

async function takeBackSet(set: SetOnItsWay, taking: Pick<Taking, 'named' | 'returning'>, looking: Looking): Promise<number> {
  const { rows, written } = set;
  if (written.length === 0) return 0;
  const ours = { ...rows, numbers: joined(written) };
  const { session } = looking;
  const hindrance = (await findHindrances(session, [await lookAroundOne(session, rows.table)])).get(rows.table.oid);
  const doubt = hindrance && { why: hindrance.message, command: hindrance.hint };
  const progress = (out: number) => {
    set.left = sumOf(written) - out;
  };
  const { left } = await takeSeededRows(ours, {
    ...looking,
    ...taking,
    dryRun: false,
    log: () => undefined,
    wasEmpty: true,
    doubt,
    progress,
  });
  return left ?? 0;
}

function joined(parts: readonly RowNumbers[]): RowNumbers {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return { kind: 'list', list: parts.flatMap((part) => [...eachNumber(part)]).sort((one, other) => one - other) };
}

/** Asks what became of the transactions whose end nobody heard of. */
export async function askForSent(session: Session, set: SetOnItsWay, context: StoreContext): Promise<void> {
  const outcomes = await outcomesOf(
    session,
    set.unknown.map(({ transaction }) => transaction),
    context,
  );
  for (const { transaction, numbers } of set.unknown) if (outcomes.get(transaction) === 'committed') set.written.push(numbers);
  set.unknown = set.unknown.filter(({ transaction }) => !outcomes.has(transaction));
}
