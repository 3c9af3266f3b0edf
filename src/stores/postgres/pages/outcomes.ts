import type { StoreContext } from '../../kind/types.js';
import { sqlState } from '../connection/errors.js';
import type { Session } from '../connection/session.js';

const patienceMs = 10_000;
const pollMs = 100;
/** Of a transaction that was never there, in a server that was restored or is another one. */
const noSuchNumber = '22023';

/**
 * Asks what became of transactions whose end nobody heard of: the server knows, once their backends are gone, until it forgets
 * them. Which it does not know, or not in time, are missing.
 */
export async function outcomesOf(
  session: Session,
  transactions: readonly string[],
  { clock, signal }: Pick<StoreContext, 'clock' | 'signal'>,
): Promise<Map<string, 'committed' | 'aborted'>> {
  const known = new Map<string, 'committed' | 'aborted'>();
  let open = transactions;
  for (const deadline = clock.elapsed() + patienceMs; open.length > 0 && !signal.aborted; await clock.sleep(pollMs, signal)) {
    const running: string[] = [];
    for (const transaction of open) {
      const state = await stateOf(session, transaction);
      if (state === 'committed' || state === 'aborted') known.set(transaction, state);
      else if (state === 'in progress') running.push(transaction);
    }
    open = running;
    if (open.length === 0 || clock.elapsed() >= deadline) break;
  }
  return known;
}

async function stateOf(session: Session, transaction: string): Promise<string | null | undefined> {
  try {
    const { rows } = await session.query<{ state: string | null }>('SELECT pg_xact_status($1::xid8) AS state', [transaction]);
    return rows[0]?.state;
  } catch (error) {
    if (sqlState(error) === noSuchNumber) return undefined;
    throw error;
  }
}
