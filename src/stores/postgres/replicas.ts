import { LoadctlError } from '../../core/errors.js';
import type { PostgresStore } from '../../profile/schema.js';
import { together } from '../together.js';
import type { OtherRows, StoreContext } from '../types.js';
import { type Address, replicaOf } from './places.js';
import { openSession, type Session } from './session.js';

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
    const beside = await openSession(replica ?? session.address, context);
    try {
      await beside.query('SET statement_timeout = 0; SET jit = off');
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
  const { rows } = await primary.query<{ written: string }>('SELECT pg_current_wal_flush_lsn()::text AS written');
  const written = rows[0]?.written;
  for (const deadline = clock.now() + patienceMs; ; ) {
    const [state] = (
      await replica.query<{ follows: boolean; seen: boolean | null }>(
        'SELECT pg_is_in_recovery() AS follows, pg_last_wal_replay_lsn() >= $1::pg_lsn AS seen',
        [written],
      )
    ).rows;
    if (state?.follows === false) throw noReplica(replica, address);
    if (state?.seen) return;
    if (state?.seen === null) {
      emit({ type: 'noted', message: `${replica.place.name}: its replica does not tell how far it is; what it shows may be a little old` });
      return;
    }
    if (clock.now() > deadline) {
      throw new LoadctlError('unavailable', `${replica.place.name}: its replica is more than ${patienceMs / 1000} s behind`, {
        hint: 'Wait until it has caught up, or take `replica` out of the profile: the primary is asked then.',
      });
    }
    await clock.sleep(pollMs, signal);
  }
}

function noReplica({ place }: Session, { store }: Address): LoadctlError {
  return new LoadctlError('invalid-profile', `${place.name}: ${place.host}:${place.port} is no replica`, {
    hint: `Correct \`replica\` of the store ${store} in the profile, or take it out.`,
  });
}
