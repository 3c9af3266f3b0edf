import { unlessAborted } from '../../core/abort.js';
import { type ExitReason, LoadctlError } from '../../core/errors.js';
import type { CountedBefore } from '../../core/events.js';
import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import type { OtherRows, Proof, Receipt, ReceiptLine } from '../../core/receipt.js';
import { type Defer, scope } from '../../core/scope.js';
import { callAfter } from '../../core/timer.js';
import { inOrder } from '../../profile/templates/sets.js';
import { tableText } from '../../profile/words/names.js';
import { storeTask } from '../../stores/index.js';
import { notesInMemory, removalsOn } from '../../stores/kind/removals.js';
import { together } from '../../stores/kind/together.js';
import { type CheckedCleaning, type Cleaning, type FoundSet, type RemovedBefore, refuseHazards } from '../../stores/kind/types.js';
import { seededElsewhere } from '../../stores/seeded-before.js';
import { step, tellerOf } from '../frame/step.js';
import { tellPhase } from '../frame/tell-phase.js';
import { checkCleanings, openCleanings, storesToClean } from './cleanings.js';
import { type DataContext, withLock } from './lock.js';
import { missingLines, stillThere } from './missing.js';
import { compareOthers, makeReceipt, type ReceiptRest } from './receipt.js';
import { type Swept, sweepUntilQuiet, whyNotQuiet } from './sweeps.js';
import { takeSeeded } from './take-seeded.js';

export interface CleanupOptions {
  /** Only counts, and shows the statements. */
  readonly dryRun: boolean;
  /** Takes seeded rows and entries out, too, where they still are as they were seeded. */
  readonly seeded: boolean;
  /** The same was looked at before the test. */
  readonly isLookedAhead?: boolean;
}

/** What came of a cleanup; `reasons` is empty where everything is proven to be gone. */
export interface CleanupResult {
  readonly receipt: Receipt;
  readonly reasons: readonly ExitReason[];
}

/** Takes the test's data out of every store, counts what is left until it is quiet, and makes the receipt, whatever fails. */
export async function cleanup(context: DataContext, options: CleanupOptions): Promise<CleanupResult> {
  const done: Done = {
    cleanings: [],
    isUnderWay: false,
    failure: undefined,
    found: [],
    removed: [],
    others: [],
    lines: [],
    startedAt: context.world.clock.stamp(),
  };
  const teller = { ...tellerOf(context), environment: context.profile.environment };
  return tellPhase(
    teller,
    { phase: 'cleanup', dryRun: options.dryRun },
    () => cleanUp(context, options, done),
    ({ reasons }) => reasons,
  );
}

function cleanUp(context: DataContext, options: CleanupOptions, done: Done): Promise<CleanupResult> {
  return scope(async (defer) => {
    const work = () => withLock(context, 'cleanup', (signal, lock) => takeAllOut({ ...context, signal, lock }, options, done, defer));
    await work().catch((error: unknown) => {
      if (!(error instanceof LoadctlError)) throw error;
      done.failure = error;
    });
    const receipt = receiptOf(context, options, done);
    if (done.isUnderWay && !options.seeded && !options.dryRun && Object.keys(context.profile.seed).length > 0)
      context.emit({ type: 'noted', code: 'seeded-data-kept' });
    context.emit({ type: 'receipt-made', receipt });
    if (options.seeded && isAllOut(receipt)) await forget(context);
    else if (options.seeded && !options.dryRun) await remember(context, done);
    // What stood against it before anything was changed is what ends it; what came later makes it unproven.
    if (done.failure !== undefined && !done.isUnderWay) throw done.failure;
    return { receipt, reasons: reasonsOf(receipt, done) };
  });
}

async function takeAllOut(context: DataContext, options: CleanupOptions, done: Done, defer: Defer): Promise<void> {
  const removals = removalsOn(context.notes ?? notesInMemory(), context.before);
  done.cleanings = await lookFirst(context, await openCleanings({ ...context, removals }, options.seeded, defer), options);
  await takeOut({ ...context, removals }, done, options);
  await countOthers(context, done);
}

/** What came of a cleanup so far. */
interface Done {
  cleanings: readonly CheckedCleaning[];
  /** Whether anything may have been deleted. */
  isUnderWay: boolean;
  failure: LoadctlError | undefined;
  /** What was there of the sets when it began, and what cleanups before it removed of them. */
  found: readonly FoundSet[];
  removed: readonly RemovedBefore[];
  others: readonly OtherRows[];
  readonly lines: ReceiptLine[];
  readonly startedAt: EpochMs;
}

/** What stands against single entries keeps these alone from going; two stores that reach one table would not know whose is whose. */
async function lookFirst(context: DataContext, opened: readonly Cleaning[], options: CleanupOptions): Promise<readonly CheckedCleaning[]> {
  const look = async () => {
    const { cleanings, hazards } = await checkCleanings(opened, options);
    refuseHazards(hazards.filter(({ isFatal }) => isFatal === true));
    return { cleanings, entries: hazards.length };
  };
  const { cleanings } = await step(tellerOf(context), { kind: 'check-data' }, look, ({ entries }) =>
    entries === 0 ? { result: 'nothing-in-the-way' } : { result: 'some-stay', entries },
  );
  return cleanings;
}

async function takeOut(context: DataContext, done: Done, { dryRun, seeded }: CleanupOptions): Promise<void> {
  const { cleanings } = done;
  if (seeded && !dryRun && isRemembered(context))
    await countBegun(done).catch((error: unknown) => uncounted(error, 'seeded rows and keys', done.lines));
  done.isUnderWay = true;
  if (dryRun) await together(cleanings, (cleaning) => cleaning.count());
  const swept = dryRun ? undefined : await sweep(context, cleanings);
  // Where somebody keeps this cleanup from a proof, nobody waits for him again.
  const isLast = !seeded || swept?.quiet !== true || swept.open.length > 0;
  if (swept !== undefined && isLast) await endSweeps(context, done, swept, seeded);
  if (seeded) {
    const again = await takeSeeded(context, cleanings, { dryRun, sweeps: !isLast });
    if (swept !== undefined && !isLast) await endSweeps(context, done, again ?? swept, seeded);
  } else if (!dryRun) await together(cleanings, (cleaning) => cleaning.keepSeeded());
}

/** Whether anything tells how much of the sets should be there. */
function isRemembered({ before }: DataContext): boolean {
  return before?.seeded.some(({ there }) => there !== undefined) === true;
}

async function countSets(cleanings: readonly CheckedCleaning[]): Promise<FoundSet[]> {
  return (await together(cleanings, (cleaning) => cleaning.countSets())).flat();
}

/** Both or none of it: without what was removed before, that would be missing. */
async function countBegun(done: Done): Promise<void> {
  const { cleanings } = done;
  const removed = (await together(cleanings, async (cleaning) => (await cleaning.removedBefore?.()) ?? [])).flat();
  const found = await countSets(cleanings);
  [done.found, done.removed] = [found, removed];
}

/** Evictions of long ago are told by one such receipt, and not by all that come after it. */
function isAllOut({ proven, dryRun, rows, keys, lines }: Receipt): boolean {
  const isEmpty = [...rows, ...keys].every(({ left }) => left === 0);
  return (
    proven || (!dryRun && isEmpty && lines.every(({ kind, what }) => kind !== 'left' && (kind !== 'unknown' || what.startsWith(evicted))))
  );
}

/** What this cleanup removed is not missing for the next one. */
async function remember(context: DataContext, done: Done): Promise<void> {
  const { before } = context;
  const { cleanings, found } = done;
  if (before === undefined || found.length === 0) return;
  const left = (await countSets(cleanings).catch(unlessBug)) ?? (await countOnceMore(context));
  if (left !== undefined) await keepKnown(context, { ...before, seeded: stillThere(context, done, left) });
}

/** So long a cleanup that was cut off waits for what is there still. */
const countMs: Milliseconds = 2500;

/** What an interrupt or a lost lock cut off answers nothing any more: for a moment new connections do. */
function countOnceMore(context: DataContext): Promise<readonly FoundSet[] | undefined> {
  return scope(async (defer) => {
    const over = new AbortController();
    defer(callAfter(context.world.clock, countMs, () => over.abort()));
    const moment = { ...context, signal: over.signal, emit: () => undefined };
    const count = async () => countSets((await checkCleanings(await openCleanings(moment, true, defer), { seeded: true })).cleanings);
    return unlessAborted(count().catch(unlessBug), over.signal);
  });
}

function unlessBug(error: unknown): undefined {
  if (!(error instanceof LoadctlError)) throw error;
}

/** What cannot be kept on the disk is told: it undoes nothing of the cleanup. */
async function keepKnown({ keep, emit, profile }: DataContext, known: CountedBefore): Promise<void> {
  await keep?.(known).catch((error: unknown) => {
    if (!(error instanceof LoadctlError)) throw error;
    emit({ type: 'warned', code: 'before-file-not-written', file: `.loadctl/before-${profile.environment}.json`, why: error.message });
  });
}

function sweep(context: DataContext, cleanings: readonly CheckedCleaning[]): Promise<Swept> {
  return step(
    tellerOf(context),
    { kind: 'delete-test-data' },
    (): Promise<Swept> => sweepUntilQuiet(context, cleanings),
    ({ quiet }) => ({ result: 'swept', left: !quiet }),
  );
}

async function endSweeps(context: DataContext, done: Done, swept: Swept, seeded: boolean): Promise<void> {
  done.lines.push(...whyNotQuiet(context, swept, seeded));
  if (swept.quiet && swept.open.length === 0) await settleParents(context, done);
}

/** Once no child is left of the parents that went, their ids tell nothing any more. */
async function settleParents({ removals }: DataContext, { cleanings, lines }: Done): Promise<void> {
  const forsaken = (await removals?.forsaken()) ?? [];
  for (const { store, shard, what } of forsaken) {
    const why = 'a cleanup before this one removed the rows whose ids they hold; cleanup.rows lists them no more';
    const command = 'list them under cleanup.rows as before, and clean up again';
    lines.push({ kind: 'unknown', store, shard, what, count: null, why, command });
  }
  const isNoneLeft = cleanings.every((cleaning) => cleaning.report(false).rows.every(({ left }) => left === 0));
  if (isNoneLeft && forsaken.length === 0) await removals?.settleParents();
}

/** A count that fails is a line of the receipt: it does not undo what went before. */
async function countOthers(context: DataContext, done: Done): Promise<void> {
  const proof = context.profile.guards.receipt;
  if (proof === 'off') return;
  const counts = () =>
    together(done.cleanings, (cleaning) =>
      cleaning.others(proof).catch((error: unknown) => uncounted(error, `rows and keys of others (receipt: ${proof})`, done.lines)),
    );
  done.others = await step(
    tellerOf(context),
    { kind: 'count-others' },
    async () => (await counts()).flat(),
    (found) => ({ result: 'counted', tables: found.length }),
  );
}

function uncounted(error: unknown, what: string, lines: ReceiptLine[]): never[] {
  if (!(error instanceof LoadctlError)) throw error;
  const command = error.hint === undefined ? {} : { command: error.hint };
  lines.push({ kind: 'unknown', store: null, shard: null, what, count: null, why: error.message, ...command });
  return [];
}

function receiptOf(context: DataContext, { dryRun, seeded }: CleanupOptions, done: Done): Receipt {
  const { profile, world, run, before } = context;
  const { others } = done;
  const counted =
    others.length > 0
      ? { proof: profile.guards.receipt as Proof, ...(before?.others === undefined ? {} : { countedBefore: before.at }) }
      : {};
  const head = {
    environment: profile.environment,
    ...(run === undefined ? {} : { run }),
    dryRun,
    startedAt: new Date(done.startedAt).toISOString(),
    finishedAt: new Date(world.clock.stamp()).toISOString(),
    by: world.who,
    ...counted,
  };
  const parts = done.cleanings.map((cleaning) => cleaning.report(dryRun));
  const compared = compareOthers(before?.others, others);
  const rest: ReceiptRest = {
    others: compared,
    lines: [
      ...done.lines,
      ...missingLines(context, done, compared),
      ...(seeded || dryRun ? [] : keptElsewhere(context)),
      ...evictedLines(context),
      ...failureLines(context, seeded, done),
    ],
    notes: [...notesOf(context, others), ...(seeded ? elsewhereNotes(context) : [])],
  };
  return makeReceipt(head, parts, rest);
}

/** What was seeded into stores that a cleanup has nothing else to do with: nobody connects to them. */
function keptElsewhere(context: DataContext): ReceiptLine[] {
  const opened = new Set(storesToClean(context, false).map(([store]) => store));
  const { profile, world, before } = context;
  return Object.keys(profile.stores).flatMap((store): ReceiptLine[] => {
    if (opened.has(store)) return [];
    const { former } = storeTask(profile, store, { now: world.clock.stamp(), seeded: before?.seeded });
    const sets = [...inOrder(profile.seed).filter((set) => set.store === store), ...former.map(({ set }) => set)];
    const names = new Set(sets.map((set) => `${set.name} (${'table' in set ? tableText(set) : `${store}/${set.key}`})`));
    return [...names].map((what) => ({ kind: 'kept', store, shard: null, what, count: null }));
  });
}

const evicted = 'keys evicted by';

/** Whose keys a server evicted while something was seeded there, nobody knows. */
function evictedLines(context: DataContext): ReceiptLine[] {
  return (context.before?.evicted ?? []).map(({ store, node, count }) => ({
    kind: 'unknown',
    store,
    shard: null,
    what: `${evicted} ${node}`,
    count,
    why: 'the server evicted them while entries were seeded there; whose they were is not known',
    command: `give the server more memory; told until a cleanup with --seeded leaves nothing else: loadctl cleanup ${namedOf(context)} --seeded`,
  }));
}

function failureLines(context: DataContext, seeded: boolean, { failure }: Done): ReceiptLine[] {
  if (failure === undefined) return [];
  const again = `loadctl cleanup ${namedOf(context)}${seeded ? ' --seeded' : ''}`;
  const isInterrupted = failure.reason === 'interrupted';
  return [
    {
      kind: 'unknown',
      store: null,
      shard: null,
      what: 'what is left',
      count: null,
      why: isInterrupted ? 'the cleanup was interrupted' : failure.message,
      command: isInterrupted || failure.hint === undefined ? again : `${failure.hint} Then: ${again}`,
    },
  ];
}

function namedOf({ named, profile }: DataContext): string {
  return named ?? `--env ${profile.environment}`;
}

/** All that was seeded is out: the next seed is a first one. */
async function forget(context: DataContext): Promise<void> {
  const { profile, before } = context;
  if (before !== undefined) await keepKnown(context, { ...before, seeded: seededElsewhere(profile, before.seeded), evicted: [] });
}

function notesOf({ profile, before }: DataContext, others: readonly OtherRows[]): string[] {
  const isUncounted = before?.others === undefined && others.length > 0;
  return [
    ...(profile.cleanup ? [] : ['the profile has no `cleanup`: nothing that the test wrote was looked for']),
    ...(isUncounted ? ['the rows of others were not counted before the test, so their count cannot be compared'] : []),
  ];
}

/** What is out of the profile's reach now was seeded all the same. */
function elsewhereNotes({ profile, before }: DataContext): string[] {
  return seededElsewhere(profile, before?.seeded ?? []).map(
    ({ set, store, place, rows }) =>
      `seeded from here before, where this profile does not reach: ${set} (${rows} rows) in ${store} at ${place}`,
  );
}

function reasonsOf(receipt: Receipt, { failure }: Done): ExitReason[] {
  const ended = failure === undefined ? [] : [failure.reason];
  if (receipt.dryRun) return ended;
  return [...(receipt.proven ? [] : (['cleanup-not-proven'] as const)), ...ended];
}
