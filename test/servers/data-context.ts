import type { LoadctlEvent } from '../../src/core/events.js';
import type { DataContext } from '../../src/phases/data/lock.js';
import { type Profile, profileSchema } from '../../src/profile/sections/schema.js';

/** The parts of a profile that a test of the data phases writes down, as in YAML. */
export interface DataProfile {
  readonly stores: Record<string, unknown>;
  readonly seed?: unknown[];
  readonly cleanup?: Record<string, unknown>;
  readonly guards?: Record<string, unknown>;
}

/** A checked profile with only these parts. */
export function dataProfile(parts: DataProfile): Profile {
  return profileSchema.parse({
    environment: 'test',
    target: { url: 'http://127.0.0.1:1' },
    workload: { script: '/nowhere.js' },
    ...parts,
  });
}

/** What seed, cleanup and takeLock are handed; `events` collects what they tell. */
export function dataContext(
  parts: DataProfile,
  {
    clock = { now: Date.now, elapsed: () => performance.now(), sleep },
    who = { user: 'ann', host: 'laptop' },
    ...more
  }: Partial<DataContext & DataContext['world']> = {},
): DataContext & { readonly events: LoadctlEvent[] } {
  const events: LoadctlEvent[] = [];
  return {
    profile: dataProfile(parts),
    emit: (event) => events.push(event),
    world: { clock, who },
    signal: new AbortController().signal,
    events,
    ...more,
  };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
