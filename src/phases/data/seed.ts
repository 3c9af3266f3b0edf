import { errorMessage, LoadctlError } from '../../core/errors.js';
import type { CountedBefore, SeededStep } from '../../core/events.js';
import { formatCount } from '../../core/quantities.js';
import { type Defer, scope } from '../../core/scope.js';
import { inOrder } from '../../profile/templates/sets.js';
import { type StoreConfig, storeKind, storeTask } from '../../stores/index.js';
import { notesInMemory, removalsOn } from '../../stores/kind/removals.js';
import { together } from '../../stores/kind/together.js';
import { addConflicts, type CheckedSeeding, type Conflicts, noConflicts, refuseHazards, type Seeding } from '../../stores/kind/types.js';
import { allThere, toKeep } from '../../stores/seeded-before.js';
import { tellerOf } from '../frame/step.js';
import { tellPhase } from '../frame/tell-phase.js';
import { lookAhead, reachedTwice } from './cleanings.js';
import { howItStands } from './how-it-stands.js';
import { type DataContext, withLock } from './lock.js';
import { storeContext } from './store-context.js';

/** What came of seeding. */
export interface SeedReport {
  readonly stores: readonly SeededStep[];
  /** What was counted and is seeded by now: for the cleanup. */
  readonly before: CountedBefore;
}

/** How a profile is seeded. */
export interface SeedOptions {
  /** What the schema holds against a cleanup was looked for already. */
  readonly isLookedAhead?: boolean;
}

/**
 * Seeds what the profile declares: every store is held against it first, and nothing is written where one of them has a conflict,
 * or where a cleanup could not take the test's data out again.
 */
export async function seed(context: DataContext, options: SeedOptions = {}): Promise<SeedReport> {
  const sets = Object.values(context.profile.seed);
  const aim = { phase: 'seed', rows: sets.reduce((sum, { rows }) => sum + rows, 0), steps: sets.length } as const;
  return tellPhase({ ...tellerOf(context), environment: context.profile.environment }, aim, () =>
    withLock(context, 'seed', (signal, lock) => seedStores({ ...context, signal, lock }, options)).catch(async (error: unknown) =>
      Promise.reject(errorMessage(error) === 'interrupted' ? await howItStands(error, [], context) : error),
    ),
  );
}

function seedStores(context: DataContext, { isLookedAhead = false }: SeedOptions): Promise<SeedReport> {
  return scope(async (defer) => {
    const stores = new Map<string, CheckedSeeding>();
    try {
      if (!isLookedAhead) await lookAhead(context);
      const removals = removalsOn(context.notes ?? notesInMemory(), context.before);
      for (const [store, checked] of await checkStores({ ...context, removals }, defer)) stores.set(store, checked);
      const before = await countBefore(context, stores);
      // Whose rows they are has to be known before there are any: whoever kills us, a later cleanup knows.
      await context.keep?.(before);
      const steps = await writeSets(context, stores);
      const report = { stores: steps, before: await keepSeeded(context, before, steps) };
      context.emit({ type: 'seeded', ...report });
      return report;
    } catch (error) {
      throw await howItStands(error, [...stores.values()], context);
    }
  });
}

/** Connects to every store, and holds what is to be written against what is there. One that fails ends the others. */
async function checkStores(context: DataContext, defer: Defer): Promise<(readonly [string, CheckedSeeding])[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const open = await openSeedings({ ...context, signal }, defer);
  const checked = await together(
    open,
    async ([store, seeding]) => [store, await seeding.check()] as const,
    (error) => stop.abort(error),
  );
  refuseHazards(reachedTwice(checked.map(([, seeding]) => seeding)));
  refuseConflicts(context, checked.map(([, { conflicts }]) => conflicts).reduce(addConflicts, noConflicts));
  return checked;
}

async function openSeedings(context: DataContext, defer: Defer): Promise<(readonly [string, Seeding])[]> {
  const open: (readonly [string, Seeding])[] = [];
  for (const [store, config] of storesToSeed(context)) {
    const task = storeTask(context.profile, store, {
      now: context.world.clock.stamp(),
      seeded: context.before?.seeded,
      named: context.named,
    });
    const kind = await storeKind(config);
    const seeding = await kind.openSeeding(config, task, storeContext(context, store, `loadctl/${context.run ?? 'seed'}`));
    defer(() => seeding.close());
    open.push([store, seeding]);
  }
  return open;
}

async function countBefore(context: DataContext, stores: ReadonlyMap<string, CheckedSeeding>): Promise<CountedBefore> {
  const proof = context.profile.guards.receipt;
  const at = new Date(context.world.clock.stamp()).toISOString();
  const others = proof === 'off' ? undefined : (await together([...stores.values()], (store) => store.others(proof))).flat();
  return keeping(context, { at, ...(others === undefined ? {} : { others }) });
}

/**
 * Writes the sets in their order, whichever store each is in: what refers to another comes after it. Nothing is written before
 * every server has answered. What a server refuses is taken back everywhere.
 */
async function writeSets({ profile, signal }: DataContext, stores: ReadonlyMap<string, CheckedSeeding>): Promise<SeededStep[]> {
  const done: SeededStep[] = [];
  await together([...stores.values()], (store) => store.ready());
  try {
    for (const { name, store } of inOrder(profile.seed)) done.push(...((await stores.get(store)?.write(name)) ?? []));
  } catch (error) {
    // Whoever ended the work from outside may want it to go on from there; and without the lock nothing may be deleted.
    if (!signal.aborted) for (const store of [...stores.values()].reverse()) await store.takeBack();
    throw error;
  }
  return done;
}

function keeping({ profile, before }: DataContext, counted: Pick<CountedBefore, 'at' | 'others'>): CountedBefore {
  return { ...counted, seeded: toKeep(profile, before?.seeded ?? []), evicted: before?.evicted ?? [] };
}

async function keepSeeded({ profile, keep }: DataContext, before: CountedBefore, stores: readonly SeededStep[]): Promise<CountedBefore> {
  const evicted = [...before.evicted, ...stores.flatMap((step) => step.evicted ?? [])];
  const after = { ...before, seeded: allThere(profile, before.seeded), evicted };
  await keep?.(after);
  return after;
}

/** Stores that are seeded, and those whose rows are counted before the test. */
function storesToSeed({ profile }: DataContext): [string, StoreConfig][] {
  return Object.entries(profile.stores).filter(([store]) => {
    const task = storeTask(profile, store, { now: 0 });
    return task.tables.length + task.entries.length > 0 || (task.rows.length > 0 && profile.guards.receipt !== 'off');
  });
}

const mostExamples = 3;

function refuseConflicts({ profile, named }: DataContext, { count, causes }: Conflicts): void {
  if (count === 0) return;
  const lines = causes.flatMap((cause) => {
    const shown = cause.examples.slice(0, mostExamples).map((example) => `  ${example}`);
    const more = cause.count > shown.length ? [`  … and ${formatCount(cause.count - shown.length)} more`] : [];
    return [`${cause.what} (${formatCount(cause.count)})`, ...shown, ...more];
  });
  const own = causes.every(({ fix }) => fix === 'profile') ? 'one another' : 'existing data';
  throw new LoadctlError(
    'seeding-failed',
    `${formatCount(count)} ${count === 1 ? 'row conflicts' : 'rows conflict'} with ${own}; nothing was written`,
    { hint: hintFor(causes, `loadctl seed ${named ?? `--env ${profile.environment}`} --reset`), lines },
  );
}

/** What helps against each kind of cause that there is. */
function hintFor(causes: Conflicts['causes'], reset: string): string {
  const fixes = new Set(causes.map(({ fix }) => fix));
  const hints = [
    ...(fixes.has('profile') ? ['Give each row of the set values of its own under `seed`, as the table stores them.'] : []),
    ...(fixes.has('reset') ? [`If these are seeded rows that were changed since, list and remove them: ${reset}.`] : []),
    ...(fixes.has('reset') || fixes.has(undefined)
      ? [`${fixes.has('reset') ? 'Else remove' : 'Remove'} what is in the way yourself, or seed other ids.`]
      : []),
  ];
  return hints.join(' ');
}
