import { errorMessage } from '../../../core/errors.js';
import { formatCount } from '../../../core/quantities.js';
import type { StoreContext, StoreTask } from '../../kind/types.js';
import { findHindrances } from '../catalog/hindrances.js';
import { lookAroundOne } from '../catalog/surroundings.js';
import { takeSeededRows } from '../cleaning/take-seeded.js';
import { dataPlace } from '../connection/places.js';
import type { Session } from '../connection/session.js';
import { openWorkSession } from '../connection/sessions.js';
import { isLocked } from '../lock/try-lock.js';
import { eachNumber, type RowNumbers } from '../rows/shards.js';
import type { Database, Sent, SetOnItsWay } from './database.js';

/** Takes back what this seed wrote into a database, the last set first; the connection may be what failed, so a new one is made. */
export async function takeBackFrom(database: Database, { named }: StoreTask, context: StoreContext): Promise<void> {
  const { address } = database.session;
  const begun = database.sets.filter(({ written, unknown }) => written.length + unknown.length > 0);
  if (begun.length === 0) return;
  const place = dataPlace({ address });
  const command = `loadctl cleanup ${named} --seeded`;
  const tell = (set: SetOnItsWay, why: string) =>
    context.emit({ type: 'warned', code: 'seed-not-taken-back', place, what: set.rows.table.inProfile, why, command });
  let session: Session | undefined;
  try {
    session = await openWorkSession(address, context);
    for (const set of [...begun].reverse()) {
      await askForSent(session, set, context);
      if (!(await isLocked(session, context.lockSessions?.()))) throw new Error('the lock that keeps other runs out was lost');
      const left = await takeBackSet(session, set, named, context);
      if (left > 0) tell(set, `${formatCount(left)} rows are left`);
      [set.left, set.unknown] = [left, []];
    }
  } catch (error) {
    for (const set of begun) if (set.left === undefined) tell(set, errorMessage(error));
  } finally {
    await session?.close();
  }
}

async function takeBackSet(session: Session, { rows, written }: SetOnItsWay, named: string, { clock }: StoreContext): Promise<number> {
  if (written.length === 0) return 0;
  const ours = { ...rows, numbers: joined(written) };
  const hindrance = (await findHindrances(session, [await lookAroundOne(session, rows.table)])).get(rows.table.oid);
  const doubt = hindrance && { why: hindrance.message, command: hindrance.hint };
  const { left } = await takeSeededRows(ours, { session, clock, named, dryRun: false, log: () => undefined, wasEmpty: true, doubt });
  return left ?? 0;
}

function joined(parts: readonly RowNumbers[]): RowNumbers {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return { kind: 'list', list: parts.flatMap((part) => [...eachNumber(part)]).sort((one, other) => one - other) };
}

const patienceMs = 10_000;
const pollMs = 100;

/** Asks what became of the transactions whose end nobody heard of: the server knows, once their backends are gone. */
export async function askForSent(session: Session, set: SetOnItsWay, { clock, signal }: StoreContext): Promise<void> {
  for (const deadline = clock.elapsed() + patienceMs; set.unknown.length > 0 && clock.elapsed() < deadline && !signal.aborted; ) {
    const open: Sent[] = [];
    for (const sent of set.unknown) {
      const { rows } = await session.query<{ state: string }>(`SELECT coalesce(pg_xact_status($1::xid8), 'unknown') AS state`, [
        sent.transaction,
      ]);
      const state = rows[0]?.state;
      if (state === 'committed') set.written.push(sent.numbers);
      else if (state !== 'aborted') open.push(sent);
    }
    set.unknown = open;
    if (open.length > 0) await clock.sleep(pollMs, signal);
  }
}
