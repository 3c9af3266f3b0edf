import { errorMessage, LoadctlError } from '../../core/errors.js';
import type { CountedBefore, SeededStep } from '../../core/events.js';
import { formatCount } from '../../core/quantities.js';
import { type Defer, scope } from '../../core/scope.js';
import { type StoreConfig, storeKind, storeTask } from '../../stores/index.js';
import { together } from '../../stores/kind/together.js';
import { addConflicts, type CheckedSeeding, type Conflicts, noConflicts, type Seeding } from '../../stores/kind/types.js';
import { allThere, toKeep } from '../../stores/seeded-before.js';
import { tellerOf } from '../frame/step.js';
import { tellPhase } from '../frame/tell-phase.js';
import { lookAhead } from './cleanings.js';
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
 * Seeds what the profile declares: every store is checked first, and nothing is written where one of them has a conflict, or
 * where a cleanup could not take the test's data out again.
 */
export async function seed(context: DataContext, options: SeedOptions = {}): Promise<SeedReport> {
  const sets = Object.values(context.profile.seed);
  const aim = { phase: 'seed', rows: sets.reduce((sum, { rows }) => sum + rows, 0), steps: sets.length } as const;
  return tellPhase({ ...tellerOf(context), environment: context.profile.environment }, aim, () =>
    withLock(context, 'seed', (signal) =>
      seedStores({ ...context, signal }, options).catch((error: unknown) => Promise.reject(explain(error))),
    ),
  );
}

function seedStores(context: DataContext, { isLookedAhead = false }: SeedOptions): Promise<SeedReport> {
  return scope(async (defer) => {
    if (!isLookedAhead) await lookAhead(context);
    const stop = new AbortController();
    const all = <T, R>(stores: readonly T[], work: (store: T) => Promise<R>) => together(stores, work, (error) => stop.abort(error));
    const signal = AbortSignal.any([context.signal, stop.signal]);
    const open = await openSeedings({ ...context, signal }, defer);
    const checked = await all(open, async ({ seeding, transactional }) => ({ transactional, seeding: await seeding.check() }));
    refuseConflicts(context, checked.map(({ seeding }) => seeding.conflicts).reduce(addConflicts, noConflicts));
    const proof = context.profile.guards.receipt;
    const at = new Date(context.world.clock.stamp()).toISOString();
    const others = proof === 'off' ? undefined : (await all(checked, ({ seeding }) => seeding.others(proof))).flat();
    const before = keeping(context, { at, ...(others === undefined ? {} : { others }) });
    // Whose rows they are has to be known before there are any: whoever kills us, a later cleanup knows.
    await context.keep?.(before);
    const stores = await commitAll(checked);
    const report = { stores, before: await keepSeeded(context, before, stores) };
    context.emit({ type: 'seeded', ...report });
    return report;
  });
}

async function openSeedings(context: DataContext, defer: Defer): Promise<OpenStore[]> {
  const open: OpenStore[] = [];
  for (const [store, config] of storesToSeed(context)) {
    const { transactional, openSeeding } = storeKind(config);
    const task = storeTask(context.profile, store, {
      now: context.world.clock.stamp(),
      seeded: context.before?.seeded,
      named: context.named,
    });
    const seeding = await openSeeding(config, task, storeContext(context, store, `loadctl/${context.run ?? 'seed'}`));
    defer(() => seeding.close());
    open.push({ seeding, transactional });
  }
  return open;
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

function explain(error: unknown): unknown {
  if (reasonOf(error) !== 'interrupted' || errorMessage(error) !== 'interrupted') return error;
  return new LoadctlError('interrupted', 'seeding was interrupted; nothing was written', { hint: 'Run the command again.', cause: error });
}

function reasonOf(error: unknown): LoadctlError['reason'] | undefined {
  return error instanceof LoadctlError ? error.reason : undefined;
}

interface OpenStore {
  readonly seeding: Seeding;
  readonly transactional: boolean;
}

interface CheckedStore {
  readonly seeding: CheckedSeeding;
  readonly transactional: boolean;
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

function rank({ transactional, seeding }: CheckedStore): number {
  return transactional ? (seeding.isGradual ? 1 : 2) : 0;
}

/**
 * What cannot be rolled back goes first, so that what can is still open when it fails. What the stores refuse is taken back
 * everywhere; where the work was ended from outside, what is in stays, and the next seed goes on from there.
 */
async function commitAll(checked: readonly CheckedStore[]): Promise<SeededStep[]> {
  const order = [...checked].sort((one, other) => rank(one) - rank(other));
  const done: SeededStep[] = [];
  try {
    for (const { seeding } of order) done.push(...(await seeding.commit()));
  } catch (error) {
    if (reasonOf(error) === 'seeding-failed') for (const { seeding } of order) await seeding.rollBack().catch(() => undefined);
    throw error;
  }
  return done;
}
