import { errorMessage, LoadctlError } from '../../core/errors.js';
import type { CountedBefore, SeededStep } from '../../core/events.js';
import { formatCount } from '../../core/quantities.js';
import { scope } from '../../core/scope.js';
import { type StoreConfig, storeKind, storeTask } from '../../stores/index.js';
import { together } from '../../stores/kind/together.js';
import { addConflicts, type CheckedSeeding, type Conflicts, noConflicts, type Seeding } from '../../stores/kind/types.js';
import { tellerOf } from '../frame/step.js';
import { tellPhase } from '../frame/tell-phase.js';
import { type DataContext, withLock } from './lock.js';
import { storeContext } from './store-context.js';

/** What came of seeding. */
export interface SeedReport {
  readonly stores: readonly SeededStep[];
  /** Rows that are not test data, for the receipt of the cleanup; undefined where the profile does not ask for it. */
  readonly before: CountedBefore | undefined;
}

/** Seeds what the profile declares: every store is checked first, and nothing is written where one of them has a conflict. */
export async function seed(context: DataContext): Promise<SeedReport> {
  const { seed: steps } = context.profile;
  const aim = { phase: 'seed', rows: steps.reduce((sum, { rows }) => sum + rows, 0), steps: steps.length } as const;
  return tellPhase({ ...tellerOf(context), environment: context.profile.environment }, aim, () =>
    withLock(context, 'seed', (signal) => seedStores({ ...context, signal }).catch((error: unknown) => Promise.reject(explain(error)))),
  );
}

function seedStores(context: DataContext): Promise<SeedReport> {
  return scope(async (defer) => {
    const stop = new AbortController();
    const all = <T, R>(stores: readonly T[], work: (store: T) => Promise<R>) => together(stores, work, (error) => stop.abort(error));
    const open: OpenStore[] = [];
    for (const [store, config] of storesToSeed(context)) {
      const { transactional, openSeeding } = storeKind(config);
      const signal = AbortSignal.any([context.signal, stop.signal]);
      const label = `loadctl/${context.run ?? 'seed'}`;
      const task = storeTask(context.profile, store, context.world.clock.now());
      const seeding = await openSeeding(config, task, storeContext({ ...context, signal }, store, label));
      defer(() => seeding.close());
      open.push({ seeding, transactional });
    }
    const checked = await all(open, async ({ seeding, transactional }) => ({ transactional, seeding: await seeding.check() }));
    refuseConflicts(checked.map(({ seeding }) => seeding.conflicts).reduce(addConflicts, noConflicts));
    const proof = context.profile.guards.receipt;
    const at = new Date(context.world.clock.now()).toISOString();
    const others = proof === 'off' ? undefined : (await all(checked, ({ seeding }) => seeding.others(proof))).flat();
    const report = { stores: await commitAll(checked), before: others && { at, others } };
    context.emit({ type: 'seeded', stores: report.stores, ...(report.before === undefined ? {} : { before: report.before }) });
    return report;
  });
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
    const task = storeTask(profile, store, 0);
    return task.seed.length > 0 || (task.rows.length > 0 && profile.guards.receipt !== 'off');
  });
}

function refuseConflicts({ count, lines }: Conflicts): void {
  if (count === 0) return;
  throw new LoadctlError(
    'seeding-failed',
    `${formatCount(count)} ${count === 1 ? 'row cannot' : 'rows cannot'} be there as the profile says; nothing was written`,
    {
      hint: 'Delete what is in the way yourself (`loadctl cleanup --users` takes out only seeded rows that nobody changed), or seed other ids.',
      lines: count > lines.length ? [...lines, `… and ${count - lines.length} more`] : lines,
    },
  );
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
