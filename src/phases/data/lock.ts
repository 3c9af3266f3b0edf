import { unlessAborted } from '../../core/abort.js';
import { besideIn } from '../../core/beside.js';
import { LoadctlError } from '../../core/errors.js';
import type { CountedBefore } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { World } from '../../core/os.js';
import { scope } from '../../core/scope.js';
import { storeKind } from '../../stores/index.js';
import type { RemovalNotes, Removals } from '../../stores/kind/removals.js';
import type { DatabaseLock } from '../../stores/kind/types.js';
import type { PhaseContext } from '../frame/context.js';
import { storeContext } from './store-context.js';

/** What the phases that touch data are handed. */
export interface DataContext extends Pick<PhaseContext, 'profile' | 'emit' | 'signal'> {
  readonly world: Pick<World, 'clock' | 'who'>;
  /** The run that the servers are told of; undefined outside one. */
  readonly run?: RunId;
  /** A lock that is held already; without one the phase takes and releases its own. */
  readonly lock?: Lock;
  /** How a command names the profile: `--env dev`. */
  readonly named?: string;
  /** What was counted and seeded from here before. */
  readonly before?: CountedBefore;
  /** Where cleanups note what they remove. */
  readonly notes?: RemovalNotes;
  /** The same, on top of what is recorded: within one cleanup. */
  readonly removals?: Removals;
  /** See {@link StoreContext}. */
  readonly isAheadOfSeed?: () => boolean;
  /** Keeps what is counted and seeded now, before anything is written, or what of it is left by a cleanup. */
  readonly keep?: (kept: CountedBefore) => Promise<void>;
}

/** loadctl's lock in every Postgres database of a profile: one run per database at a time (design §7). */
export interface Lock {
  /** How many databases it is held in; 0: the profile has no Postgres store. */
  readonly databases: number;
  /** The sessions that hold it now. */
  sessions(): readonly string[];
  /** Resolves, with the reason, when it is held no more without having been released: what writes or deletes must stop. */
  lapsed(): Promise<LoadctlError>;
  /** Resolves when it could not be taken again within 10 s either: all work must stop. */
  readonly lost: Promise<LoadctlError>;
  /** Lets go of it. May be called twice; never rejects. */
  release(): Promise<void>;
}

/** The lock of a run whose data is in the care of another loadctl, which holds the real one where there is one. */
export const heldElsewhere: Lock = {
  databases: 0,
  sessions: () => [],
  lapsed: () => new Promise(() => undefined),
  lost: new Promise(() => undefined),
  release: async () => undefined,
};

/** Takes the lock, or throws 112 `refused` and says who holds it. One that was lost under a load is taken again. */
export async function takeLock(context: DataContext, purpose: 'seed' | 'run' | 'cleanup' | 'test'): Promise<Lock> {
  const regains = purpose === 'run' || purpose === 'test';
  const held: DatabaseLock[] = [];
  const release = async () => {
    for (const lock of held.splice(0).reverse()) await lock.release();
  };
  try {
    for (const [store, config] of Object.entries(context.profile.stores).sort(byName)) {
      const label = lockLabel(context, purpose);
      held.push(...((await (await storeKind(config)).lock?.(config, storeContext(context, store, label), { held, regains })) ?? []));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return {
    databases: held.length,
    sessions: () => held.map(({ session }) => session),
    lapsed: () => first(held.map((lock) => lock.lapsed())),
    lost: first(held.map((lock) => lock.lost)),
    release,
  };
}

/** Runs `body` under the context's lock or one of its own; its signal aborts on an interrupt and when the lock is held no more. */
export async function withLock<T>(
  context: DataContext,
  purpose: 'seed' | 'cleanup',
  body: (signal: AbortSignal, lock: Lock) => Promise<T>,
): Promise<T> {
  const lock = context.lock ?? (await takeLock(context, purpose));
  const lost = new AbortController();
  return scope(async (defer) => {
    if (!context.lock) defer(() => lock.release());
    const beside = besideIn(defer, (error) => lost.abort(error));
    beside(async (over) => {
      const error = await unlessAborted(lock.lapsed(), over);
      if (error !== undefined) lost.abort(error);
    });
    try {
      return await body(AbortSignal.any([context.signal, lost.signal]), lock);
    } catch (error) {
      const { aborted, reason } = lost.signal;
      throw aborted && !(error instanceof LoadctlError && error.cause === reason) ? reason : error;
    }
  });
}

/** Postgres cuts an application_name after 63 bytes. */
function lockLabel({ run, world: { who } }: DataContext, purpose: string): string {
  return `loadctl/${run ?? purpose} by ${who.user}@${who.host}`.slice(0, 63);
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}

async function first(ends: readonly Promise<Error>[]): Promise<LoadctlError> {
  const cause = await Promise.race([new Promise<never>(() => undefined), ...ends]);
  return new LoadctlError('unavailable', `lost the lock that keeps other runs out: ${cause.message}`, {
    hint: 'Check the database and the network to it, then run `loadctl cleanup` and start again.',
    cause,
  });
}
