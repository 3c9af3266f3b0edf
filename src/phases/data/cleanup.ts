import { type ExitReason, LoadctlError } from '../../core/errors.js';
import type { OtherRows, Proof, Receipt } from '../../core/receipt.js';
import { type Defer, scope } from '../../core/scope.js';
import { isIdle, type StoreConfig, storeKind, storeTask } from '../../stores/index.js';
import { together } from '../../stores/kind/together.js';
import type { Cleaning } from '../../stores/kind/types.js';
import { step, tellerOf } from '../frame/step.js';
import { tellPhase } from '../frame/tell-phase.js';
import { type DataContext, withLock } from './lock.js';
import { compareOthers, makeReceipt } from './receipt.js';
import { storeContext } from './store-context.js';

export interface CleanupOptions {
  /** Only counts, and shows the statements. */
  readonly dryRun: boolean;
  /** Takes seeded rows and entries out, too, where they still are as they were seeded. */
  readonly users: boolean;
}

/** What came of a cleanup; `reasons` is empty where everything is proven to be gone. */
export interface CleanupResult {
  readonly receipt: Receipt;
  readonly reasons: readonly ExitReason[];
}

const defaultSettleMs = 500;
const mostSweeps = 30;

/** Takes the test's data out of every store, counts what is left until it is quiet, and makes the receipt. */
export async function cleanup(context: DataContext, options: CleanupOptions): Promise<CleanupResult> {
  const body = () => withLock(context, 'cleanup', (signal) => cleanUp({ ...context, signal }, options));
  const teller = { ...tellerOf(context), environment: context.profile.environment };
  return tellPhase(teller, { phase: 'cleanup', dryRun: options.dryRun }, body, ({ reasons }) => reasons);
}

function cleanUp(context: DataContext, { dryRun, users }: CleanupOptions): Promise<CleanupResult> {
  const { profile, world, emit, run } = context;
  const startedAt = world.clock.now();
  return scope(async (defer) => {
    const cleanings = await openCleanings(context, users, defer);
    await step(
      tellerOf(context),
      { kind: 'check-data' },
      () => together(cleanings, (cleaning) => cleaning.check(users)),
      () => ({ result: 'nothing-in-the-way' }),
    );
    const outcome = await takeOut(context, cleanings, { dryRun, users });
    const proof = profile.guards.receipt;
    const others = proof === 'off' || outcome.interrupted ? [] : await countOthers(context, cleanings, proof);
    const head = {
      environment: profile.environment,
      ...(run === undefined ? {} : { run }),
      dryRun,
      ...times(startedAt, world.clock.now()),
      by: world.who,
    };
    const parts = cleanings.map((cleaning) => cleaning.report(dryRun));
    const counted = others.length > 0 ? { proof, ...(context.before === undefined ? {} : { countedBefore: context.before.at }) } : {};
    const receipt = makeReceipt({ ...head, ...counted }, parts, compareOthers(context.before?.others, others), {
      quiet: outcome.quiet,
      notes: notesOf(context, outcome, others),
    });
    if (!users && !dryRun && profile.seed.length > 0) emit({ type: 'noted', code: 'seeded-data-kept' });
    emit({ type: 'receipt-made', receipt });
    return { receipt, reasons: reasonsOf(receipt, outcome) };
  });
}

/** Throws what would keep a cleanup from its work, before there is anything to clean up. Says and changes nothing. */
export function checkCleanup(context: DataContext, users: boolean): Promise<void> {
  return scope(async (defer) => {
    const cleanings = await openCleanings({ ...context, emit: () => undefined }, users, defer);
    await together(cleanings, (cleaning) => cleaning.check(users));
  });
}

async function openCleanings(context: DataContext, users: boolean, defer: Defer): Promise<Cleaning[]> {
  const { profile, run } = context;
  const cleanings: Cleaning[] = [];
  for (const [store, config] of storesToClean(context, users)) {
    const label = `loadctl/${run ?? 'cleanup'}`;
    const cleaning = await storeKind(config).openCleaning(
      config,
      storeTask(profile, store, context.world.clock.now()),
      storeContext(context, store, label),
    );
    defer(() => cleaning.close());
    cleanings.push(cleaning);
  }
  return cleanings;
}

interface Outcome {
  /** Two counts in a row, `settle` apart, found nothing. */
  readonly quiet: boolean;
  readonly interrupted: boolean;
}

async function takeOut(context: DataContext, cleanings: readonly Cleaning[], { dryRun, users }: CleanupOptions): Promise<Outcome> {
  try {
    const quiet = dryRun || (await sweep(context, cleanings));
    if (users)
      await step(
        tellerOf(context),
        { kind: 'take-out-seeded' },
        () => together(cleanings, (cleaning) => cleaning.takeSeeded(dryRun)),
        () => ({ result: 'taken-out', dryRun }),
      );
    return { quiet, interrupted: false };
  } catch (error) {
    if (!(error instanceof LoadctlError) || error.reason !== 'interrupted') throw error;
    return { quiet: false, interrupted: true };
  }
}

function sweep(context: DataContext, cleanings: readonly Cleaning[]): Promise<boolean> {
  return step(
    tellerOf(context),
    { kind: 'delete-test-data' },
    () => sweepUntilQuiet(context, cleanings),
    (quiet) => ({ result: 'swept', left: !quiet }),
  );
}

/** Sweeps until two counts find nothing. Gives up when a sweep neither deletes nor changes anything: something swallows the deletes. */
async function sweepUntilQuiet({ profile, world, signal }: DataContext, cleanings: readonly Cleaning[]): Promise<boolean> {
  let zeros = 0;
  let before = Number.POSITIVE_INFINITY;
  for (let sweep = 1; sweep <= mostSweeps; sweep++) {
    const swept = await together(cleanings, (cleaning) => cleaning.sweep());
    const left = swept.reduce((sum, one) => sum + one.left, 0);
    const deleted = swept.reduce((sum, one) => sum + one.deleted, 0);
    zeros = left === 0 && deleted === 0 ? zeros + 1 : left === 0 ? 1 : 0;
    if (zeros === 2) return true;
    if (left > 0 && deleted === 0 && left >= before) return false;
    before = left;
    await world.clock.sleep(profile.cleanup?.settle ?? defaultSettleMs, signal);
  }
  return false;
}

function countOthers(context: DataContext, cleanings: readonly Cleaning[], proof: Proof): Promise<OtherRows[]> {
  return step(
    tellerOf(context),
    { kind: 'count-others' },
    async () => (await together(cleanings, (cleaning) => cleaning.others(proof))).flat(),
    (counts) => ({ result: 'counted', tables: counts.length }),
  );
}

function storesToClean({ profile }: DataContext, users: boolean): [string, StoreConfig][] {
  return Object.entries(profile.stores).filter(([store]) => {
    const task = storeTask(profile, store, 0);
    return !isIdle(users ? task : { ...task, seed: [] });
  });
}

function notesOf({ profile, before }: DataContext, { interrupted }: Outcome, others: readonly OtherRows[]): string[] {
  return [
    ...(interrupted ? ['the cleanup was interrupted: run it again'] : []),
    ...(profile.cleanup ? [] : ['the profile has no cleanup']),
    ...(before === undefined && others.length > 0
      ? ['the rows of everybody else were not counted before the test, so there is nothing to hold their count against']
      : []),
  ];
}

function reasonsOf(receipt: Receipt, { interrupted }: Outcome): ExitReason[] {
  if (receipt.dryRun) return interrupted ? ['interrupted'] : [];
  return [...(receipt.proven ? [] : (['cleanup-not-proven'] as const)), ...(interrupted ? (['interrupted'] as const) : [])];
}

function times(startedAt: number, finishedAt: number): Pick<Receipt, 'startedAt' | 'finishedAt'> {
  return { startedAt: new Date(startedAt).toISOString(), finishedAt: new Date(finishedAt).toISOString() };
}
