import { errorMessage, LoadctlError } from '../../../core/errors.js';
import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import type { DatabaseLock, StoreContext } from '../../kind/types.js';
import { dataPlace } from '../connection/places.js';
import type { Session } from '../connection/session.js';
import { describeHolder, holdsLock, type LockSession, type Tried, tryLock } from './try-lock.js';

/** The server ends the lock's session when it hears nothing for 10 s (`limits.lock`). */
const heartbeatMs: Milliseconds = 3000;
const answerMs: Milliseconds = 10_000;
/** So long a lost lock is tried to be taken again, and how often. */
const regainMs: Milliseconds = 10_000;
const regainEveryMs: Milliseconds = 250;
/** A connection that was cut off would be waited for until TCP gives up. */
const closeMs: Milliseconds = 2000;

/** The lock does not end with the work that it protects. */
const never = new AbortController().signal;

/**
 * Watches over a lock that was taken:
 *
 *     held ──▶ lapsed (session ended, no answer, held no more) ──▶ taken again within 10 s ──▶ held
 *                                                             └──▶ somebody else has it, or 10 s are over ──▶ lost
 *
 * Only a load goes on meanwhile: whoever writes or deletes stops when it lapses. Without `regains` that is the end of it.
 */
export function keepLock(first: LockSession, context: StoreContext, regains: boolean): DatabaseLock {
  const released = new AbortController();
  const { name } = first.session.place;
  const here = ({ message }: Error) => new Error(`${name}: ${message}`);
  let held = first;
  let lapse = promised<Error>();
  const keeping = async (): Promise<Error> => {
    for (;;) {
      const problem = await Promise.race([held.session.ended, watch(held.session, context.clock, released.signal)]);
      if (released.signal.aborted) return new Promise<never>(() => undefined);
      void held.session.close();
      lapse.resolve(here(problem));
      lapse = promised();
      if (!regains) return here(problem);
      const again = await regain(held, problem, context, released.signal);
      if (again instanceof Error) return here(again);
      if (released.signal.aborted) void again.session.close();
      held = again;
    }
  };
  const lost = keeping();
  return {
    get session() {
      return held.name;
    },
    lapsed: () => Promise.race([lapse.promise, lost]),
    lost: lost.then((error) => (released.signal.aborted ? new Promise<never>(() => undefined) : error)),
    async release() {
      released.abort();
      await closeInTime(held.session, context.clock);
    },
  };
}

/** A promise, and what resolves it. */
function promised<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Resolves with what is wrong, when something is; never once `released` is aborted. */
async function watch(session: Session, clock: Clock, released: AbortSignal): Promise<Error> {
  while (!released.aborted) {
    await clock.sleep(heartbeatMs, released);
    if (released.aborted) break;
    const answered = new AbortController();
    const late = clock.sleep(answerMs, answered.signal).then(() => new Error(`no answer for ${answerMs / 1000} s`));
    const checked = holdsLock(session).then(
      (held) => (held ? undefined : new Error('the session no longer holds it (is there a connection pooler between?)')),
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    const problem = await Promise.race([checked, late]);
    answered.abort();
    if (problem) return problem;
  }
  return new Promise<never>(() => undefined);
}

/** Tries to take the lock again until it is held, somebody else has it, or the time is over; then why, as an error. */
async function regain(
  { name: former, session: { address } }: LockSession,
  problem: Error,
  context: StoreContext,
  released: AbortSignal,
): Promise<LockSession | Error> {
  const { clock, emit } = context;
  const lostAt = clock.elapsed();
  const place = dataPlace({ address });
  emit({ type: 'warned', code: 'lock-lost', place, why: problem.message, retryMs: regainMs });
  let last: unknown;
  while (!released.aborted && clock.elapsed() - lostAt < regainMs) {
    const tried = await inTime(tryLock(address, { ...context, signal: never }, former), lostAt, clock, released);
    if (tried instanceof Error) {
      last = tried;
      if (tried instanceof LoadctlError && tried.reason === 'refused') break;
    } else if ('taken' in tried) {
      emit({ type: 'lock-regained', place, elapsedMs: Math.round(clock.elapsed() - lostAt) });
      return tried.taken;
    } else if (tried.holder !== undefined && tried.holder.session !== former) {
      return new Error(`${problem.message}; meanwhile it was taken by ${describeHolder(tried.holder)}`);
    }
    await clock.sleep(regainEveryMs, released);
  }
  const why = last === undefined ? '' : `: ${errorMessage(last)}`;
  return new Error(`${problem.message}; it could not be taken again within ${regainMs / 1000} s${why}`);
}

/** What came of a try, an error as a value; one that comes too late is let go again. */
async function inTime(trying: Promise<Tried>, lostAt: Milliseconds, clock: Clock, released: AbortSignal): Promise<Tried | Error> {
  const done = new AbortController();
  const late = clock
    .sleep(Math.max(0, lostAt + regainMs - clock.elapsed()), AbortSignal.any([released, done.signal]))
    .then(() => 'late' as const);
  const settled = trying.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  const first = await Promise.race([settled, late]);
  done.abort();
  if (first !== 'late') return first;
  void settled.then((tried) => (tried instanceof Error || !('taken' in tried) ? undefined : tried.taken.session.close()));
  return new Error('the database did not answer');
}

async function closeInTime(session: Session, clock: Clock): Promise<void> {
  const closed = new AbortController();
  await Promise.race([session.close().finally(() => closed.abort()), clock.sleep(closeMs, closed.signal)]);
}
