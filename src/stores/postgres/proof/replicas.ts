import { LoadctlError } from '../../../core/errors.js';
import type { OtherRows } from '../../../core/receipt.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import { together } from '../../kind/together.js';
import type { StoreContext } from '../../kind/types.js';
import { type Address, dataPlace, replicaOf } from '../connection/places.js';
import type { Session } from '../connection/session.js';
import { openWorkSession } from '../connection/sessions.js';

/** What counting needs of a database that is open already. */
export interface Counting {
  readonly session: Session;
  /** Counts what it has to, in the session that it is given. */
  count(session: Session): Promise<readonly OtherRows[]>;
}

/** Counts in every database of a store, each in a session of its own: on its replica where it has one, when that has come as far. */
export async function countBeside(config: PostgresStore, databases: readonly Counting[], context: StoreContext): Promise<OtherRows[]> {
  const counts = await together(databases, async ({ session, count }) => {
    const replica = replicaOf(config, session.address);
    const beside = await openWorkSession(replica ?? session.address, context);
    try {
      if (replica !== undefined) await catchUp(session, beside, replica, context);
      return await count(beside);
    } finally {
      await beside.close();
    }
  });
  return counts.flat();
}

const patienceMs = 30_000;
const pollMs = 50;

/** Waits until the replica has seen all that the primary has written so far. Some managed ones do not tell how far they are. */
async function catchUp(primary: Session, replica: Session, address: Address, { clock, signal, emit }: StoreContext): Promise<void> {
  const written = await endOfWal(primary);
  for (const deadline = clock.elapsed() + patienceMs; ; ) {
    const [state] = (
      await replica.query<{ follows: boolean; seen: boolean | null }>(
        'SELECT pg_is_in_recovery() AS follows, pg_last_wal_replay_lsn() >= $1::pg_lsn AS seen',
        [written],
      )
    ).rows;
    if (state?.follows === false) throw noReplica(replica, address);
    if (state?.seen) return;
    if (state?.seen === null) {
      emit({ type: 'noted', code: 'replica-position-unknown', place: dataPlace(replica) });
      return;
    }
    if (clock.elapsed() > deadline) {
      throw new LoadctlError('unavailable', `${replica.place.name}: its replica is more than ${patienceMs / 1000} s behind`, {
        hint: 'Wait until it has caught up, or remove `replica` from the profile: the primary is asked then.',
      });
    }
    await clock.sleep(pollMs, signal);
  }
}

/**
 * Where the last record ends that was written, or is yet to be: what commits asynchronously is not flushed at once. The
 * server tells where the next one will begin: at the start of a page that is behind its header (XLogBytePosToRecPtr in
 * PostgreSQL's xlog.c), and no replica replays as far as that before there is such a record.
 */
async function endOfWal(session: Session): Promise<string | undefined> {
  const { rows } = await session.query<{ written: string; page: number; segment: number }>(
    `SELECT pg_current_wal_insert_lsn()::text AS written, current_setting('wal_block_size')::int AS page,
       pg_size_bytes(current_setting('wal_segment_size'))::int AS segment`,
  );
  const [{ written, page, segment } = { written: undefined, page: 1, segment: 1 }] = rows;
  return written === undefined ? undefined : withoutPageHeader(written, page, segment);
}

const [headerBytes, firstHeaderBytes] = [24, 40];

/** A position right behind a page's header (the first one of a segment is longer) is the page's beginning; any other is itself. */
export function withoutPageHeader(lsn: string, pageBytes: number, segmentBytes: number): string {
  const [high = '0', low = '0'] = lsn.split('/');
  const position = Number.parseInt(low, 16);
  const header = position % segmentBytes < pageBytes ? firstHeaderBytes : headerBytes;
  return position % pageBytes === header ? `${high}/${(position - header).toString(16).toUpperCase()}` : lsn;
}

function noReplica({ place }: Session, { store }: Address): LoadctlError {
  return new LoadctlError('invalid-profile', `${place.name}: ${place.host}:${place.port} is not a replica`, {
    hint: `Correct \`replica\` of the store ${store} in the profile, or remove it.`,
  });
}
