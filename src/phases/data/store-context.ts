import type { Emit } from '../../core/events.js';
import type { World } from '../../core/os.js';
import { allowsHost } from '../../plan/guards.js';
import type { Profile } from '../../profile/sections/schema.js';
import type { Removals } from '../../stores/kind/removals.js';
import type { StoreContext } from '../../stores/kind/types.js';

/** What of a phase concerns a store. */
interface PhaseOnData {
  readonly profile: Pick<Profile, 'guards'>;
  readonly emit: Emit;
  readonly world: Pick<World, 'clock'>;
  readonly signal: AbortSignal;
  readonly lock?: { sessions(): readonly string[] };
  readonly removals?: Removals;
  readonly isAheadOfSeed?: () => boolean;
}

/** What a phase hands to a store; `label` is the name under which the store's servers see loadctl. */
export function storeContext(context: PhaseOnData, store: string, label: string): StoreContext {
  const { profile, emit, world, signal, lock, removals, isAheadOfSeed } = context;
  const locked = lock === undefined ? {} : { lockSessions: () => lock.sessions() };
  const noted = removals === undefined ? {} : { removals };
  const ahead = isAheadOfSeed === undefined ? {} : { isAheadOfSeed };
  return { store, label, emit, clock: world.clock, signal, allowsHost: (host) => allowsHost(profile, host), ...locked, ...noted, ...ahead };
}
