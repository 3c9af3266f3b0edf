import type { CountedBefore, LoadctlEvent } from '../../src/core/events.js';
import type { DataContext } from '../../src/phases/data/lock.js';
import { type Profile, profileSchema } from '../../src/profile/sections/schema.js';

/** The parts of a profile that a test of the data phases writes down, as in YAML. */
export interface DataProfile {
  readonly stores: Record<string, unknown>;
  /** Sets by name; in a list each has the name of its table, or `entries`, and a number where there are several. */
  readonly seed?: Record<string, unknown> | readonly unknown[];
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
    ...(parts.seed === undefined ? {} : { seed: named(parts.seed) }),
  });
}

function named(seed: Record<string, unknown> | readonly unknown[]): unknown {
  if (!Array.isArray(seed)) return seed;
  const sets: Record<string, unknown> = {};
  for (const set of seed) {
    const table = typeof set === 'object' && set !== null && 'table' in set ? String(set.table) : '.entries';
    const plain = (table.split('.').at(-1) ?? '').replaceAll(/[^A-Za-z0-9_]|^[\d_]+/g, '').replace(/^[\d_]+/, '') || 'set';
    const taken = Object.keys(sets).filter((name) => name.replace(/\d+$/, '') === plain).length;
    sets[taken === 0 ? plain : `${plain}${taken + 1}`] = set;
  }
  return sets;
}

/** What a machine keeps from one command to the next: the file of an environment, without a disk. */
export interface Machine {
  before?: CountedBefore;
}

/** What seed, cleanup and takeLock are handed; `events` collects what they tell. */
export function dataContext(
  parts: DataProfile,
  {
    clock = { stamp: Date.now, elapsed: () => performance.now(), sleep },
    who = { user: 'ann', host: 'laptop' },
    machine,
    ...more
  }: Partial<DataContext & DataContext['world'] & { readonly machine: Machine }> = {},
): DataContext & { readonly events: LoadctlEvent[] } {
  const events: LoadctlEvent[] = [];
  return {
    profile: dataProfile(parts),
    emit: (event) => events.push(event),
    world: { clock, who },
    signal: new AbortController().signal,
    events,
    ...(machine === undefined ? {} : onMachine(machine)),
    ...more,
  };
}

/** The same context, whose clock does something once, when the cleanup begins to wait for those who are at work on its tables. */
export function whenWaiting<Context extends DataContext>(context: Context, work: () => Promise<unknown>): Context {
  let done: Promise<unknown> | undefined;
  const { clock } = context.world;
  const sleep = async (ms: number, signal?: AbortSignal) => {
    if (ms === writersPollMs) {
      done ??= work();
      await done;
    }
    return clock.sleep(ms, signal);
  };
  return { ...context, world: { ...context.world, clock: { ...clock, sleep } } };
}

const writersPollMs = 50;

function onMachine(machine: Machine): Pick<DataContext, 'before' | 'keep'> {
  const keep = (before: CountedBefore) => {
    machine.before = before;
    return Promise.resolve();
  };
  return { ...(machine.before === undefined ? {} : { before: machine.before }), keep };
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
