import { throwIfAborted } from '../../../core/abort.js';
import { LoadctlError } from '../../../core/errors.js';
import type { EvictedKeys, SeededStep } from '../../../core/events.js';
import type { Clock } from '../../../core/os.js';
import { formatCount, formatDuration, type Milliseconds } from '../../../core/quantities.js';
import type { RedisStore } from '../../../profile/sections/schema.js';
import { inverseOf, isUnmistakable } from '../../../profile/templates/inverse.js';
import {
  addConflicts,
  type Conflicts,
  noConflicts,
  type Seeding,
  type SetState,
  type StoreContext,
  type StoreTask,
  unrecorded,
} from '../../kind/types.js';
import { howToBeCertain } from '../cleaning/take-seeded.js';
import { isRefusal, replyWord } from '../connection/errors.js';
import { seedIndex } from '../connection/login.js';
import type { Memory } from '../connection/memory.js';
import { type Answer, type Servers, valueIn } from '../connection/servers.js';
import { createCommand, isCreated, refreshCommand } from '../keys/commands.js';
import { type Entries, type Entry, entriesOf, entryBatches, keyPieces } from '../keys/entries.js';
import { type Ranges, ranges } from '../keys/ranges.js';
import { takeBack } from '../keys/take-back.js';
import { type Compared, compare } from '../keys/values.js';
import { sumUpOthers } from '../proof/others.js';
import { openServers } from '../servers/open.js';
import { evictedSince, memories, type Needed, needed, refuseEviction } from './room.js';

/** A set on its way. */
interface Progress {
  readonly entries: Entries;
  readonly ttlMs: Milliseconds | undefined;
  /** The entries that were not there when it was checked, by their numbers. */
  readonly absent: Ranges;
  /** Those that were written by us. */
  created: Ranges;
  /** Those of them that no answer came to: they may be in, or not. */
  readonly unheard: Ranges;
  checkMs: Milliseconds;
}

/** Seeds the index that the store's URL names, or a cluster. */
export async function openSeeding(config: RedisStore, task: StoreTask, context: StoreContext): Promise<Seeding> {
  // What is in has to be taken back even where there is no room any more.
  let isAhead = true;
  const servers = await openServers(config, seedIndex(context.store, config), { ...context, isAheadOfSeed: () => isAhead });
  const room = needed();
  const sets = task.entries.map((set) => begin(entriesOf(set, task.source(set))));
  let before: ReadonlyMap<string, Memory | undefined> = new Map();
  return {
    async check() {
      before = await memories(servers);
      let conflicts = noConflicts;
      for (const progress of sets) {
        warnOfUncertain(progress, task, context);
        conflicts = addConflicts(conflicts, await checkSet(servers, progress, { task, clock: context.clock, room }));
      }
      for (const [node, memory] of before)
        if (memory === undefined)
          context.emit({ type: 'warned', code: 'memory-unknown', place: { store: context.store, shard: null }, node });
      refuseEviction(servers, before, room);
      return {
        conflicts,
        tables: [],
        others: (proof) => sumUpOthers(() => Promise.resolve(servers), config, task, proof),
        async ready() {
          await memories(servers);
        },
        async write(name) {
          const number = sets.findIndex(({ entries }) => entries.set.name === name);
          const progress = sets[number];
          if (progress === undefined) return [];
          // What is under way in a server is not cut off: an interrupt ends the work between two batches.
          servers.seal();
          isAhead = false;
          const done = await tellSet(servers, progress, number + 1, context).catch((error: unknown) =>
            Promise.reject(refusedHalfway(error)),
          );
          const after = await memories(servers);
          const evicted = evictedSince(context.store, before, after);
          before = after;
          return [{ ...done, ...tellEvicted(evicted, context) }];
        },
        state: () => Promise.resolve(sets.map((progress) => stateOf(servers, progress))),
        async takeBack() {
          for (const progress of sets) {
            if (progress.created.size() === 0) continue;
            progress.created = await takeBack(servers, progress.entries, progress.created, { ...context, named: task.named });
          }
        },
      };
    },
    close: () => Promise.resolve(servers.close()),
  };
}

/** An entry whose key is the same for everybody is nobody's to take out again. */
function warnOfUncertain({ entries: { set } }: Progress, task: StoreTask, { emit, store }: StoreContext): void {
  if (inverseOf(keyPieces(set, task.source(set)), set.rows) !== undefined) return;
  const table = `${set.name} (${store}/${set.key})`;
  emit({ type: 'warned', code: 'seeded-rows-uncertain', place: { store, shard: null }, table, fix: howToBeCertain });
}

/** A server that has no memory left, or cannot save to its disk, is a seed that failed; what it wrote is taken back where the server lets us. */
function refusedHalfway(error: unknown): unknown {
  if (!(error instanceof LoadctlError) || !(error.cause instanceof Error)) return error;
  const { message, hint, cause } = error;
  if (!['OOM', 'MISCONF'].includes(replyWord(error.cause) ?? '')) return error;
  return new LoadctlError('seeding-failed', message, { cause, ...(hint === undefined ? {} : { hint }) });
}

function stateOf({ store }: Servers, { entries: { set }, absent, created, unheard }: Progress): SetState {
  const unknown = [...unheard]
    .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, more) => from + more))
    .filter(created.has).length;
  const written = created.size() - unknown;
  return { what: `${set.name} in ${store}`, unit: 'entries', all: set.rows, there: set.rows - absent.size() + written, written, unknown };
}

/** Whose keys they were, nobody knows: they are told, and a receipt that comes later says so. */
function tellEvicted(evicted: readonly EvictedKeys[], { emit, store }: StoreContext): Pick<SeededStep, 'evicted'> {
  for (const { node, count } of evicted) emit({ type: 'warned', code: 'keys-evicted', place: { store, shard: null }, node, count });
  return evicted.length === 0 ? {} : { evicted };
}

function begin(entries: Entries): Progress {
  const { ttl } = entries.set;
  const ttlMs = ttl === undefined ? undefined : Math.max(1, Math.round(ttl));
  return { entries, ttlMs, absent: ranges(), created: ranges(), unheard: ranges(), checkMs: 0 };
}

interface Checking {
  readonly task: StoreTask;
  readonly clock: Clock;
  /** Is told what is absent. */
  readonly room: Needed;
}

async function checkSet(servers: Servers, progress: Progress, { task, clock, room }: Checking): Promise<Conflicts> {
  const startedAt = clock.elapsed();
  const { set } = progress.entries;
  const pieces = keyPieces(set, task.source(set));
  const isBare = inverseOf(pieces, set.rows) !== undefined && !isUnmistakable(pieces, set.rows);
  const why = isBare ? unrecorded(task, set, ['key']) : undefined;
  const known = why === undefined ? set.rows : task.seededRows(set, ['key']);
  let conflicts = noConflicts;
  for (const batch of entryBatches(progress.entries, servers.width())) {
    for (const compared of await compare(servers, batch)) {
      const { entry, state, node } = compared;
      if (state === 'absent') {
        progress.absent.add(entry.n);
        room.add(node, entry);
      } else if (entry.n > known) throw takenNumber(servers, entry.key, why);
      if (state === 'different') conflicts = addConflicts(conflicts, conflictOf(servers, set.name, compared));
    }
  }
  progress.checkMs = clock.elapsed() - startedAt;
  return conflicts;
}

function takenNumber({ store }: Servers, key: string, why = ''): LoadctlError {
  return new LoadctlError('refused', `${store}: the key ${JSON.stringify(key)} is there already, and ${why}`, {
    hint: 'Give the keys of the set a name before the number, or seed where that file is.',
  });
}

function conflictOf(servers: Servers, set: string, compared: Compared): Conflicts {
  const what = `${servers.store}: keys of ${set} hold something else`;
  return { count: 1, causes: [{ what, count: 1, examples: [conflictLine(servers, compared)], fix: 'reset' }] };
}

async function tellSet(
  servers: Servers,
  progress: Progress,
  number: number,
  { emit, store, clock, signal }: StoreContext,
): Promise<SeededStep> {
  const { created, checkMs } = progress;
  const { set } = progress.entries;
  const id = `seed ${store} ${number} ${set.name}`;
  const place = { store, shard: null };
  emit({ type: 'step-started', step: id, work: { kind: 'seed', what: set.key, ...place } });
  const startedAt = clock.elapsed();
  try {
    const tell = (done: number) => {
      emit({ type: 'step-progressed', step: id, done, total: set.rows, unit: 'entries' });
      throwIfAborted(signal);
    };
    await writeAll(servers, progress, tell);
    const writtenAgain = await readBack(servers, progress, clock, signal);
    if (writtenAgain > 0) emit({ type: 'warned', code: 'entries-vanished', place, key: set.key, count: writtenAgain });
    const elapsedMs = Math.round(clock.elapsed() - startedAt + checkMs);
    const counts = { created: created.size(), alreadyThere: set.rows - created.size(), writtenAgain };
    const rowsPerSecond = Math.round(set.rows / Math.max(elapsedMs / 1000, 0.001));
    emit({ type: 'step-finished', step: id, elapsedMs, result: 'seeded', ...counts, perSecond: rowsPerSecond, unit: 'entries' });
    return { store, shard: null, set: set.name, what: set.key, ...counts, conflicts: 0, elapsedMs, rowsPerSecond };
  } catch (error) {
    emit({ type: 'step-failed', step: id, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** Writes what was not there when it was checked. */
async function writeAll(servers: Servers, progress: Progress, tell: (done: number) => void): Promise<void> {
  for (const batch of entryBatches(progress.entries, servers.width())) {
    await create(
      servers,
      progress,
      batch.filter(({ n }) => progress.absent.has(n)),
    );
    tell(batch.at(-1)?.n ?? 0);
  }
  await servers.replicate();
}

/** Never overwrites: what appeared since the check stays as it is, and is held against the profile when it is read back. */
async function create(servers: Servers, { ttlMs, created, unheard }: Progress, entries: readonly Entry[]): Promise<void> {
  const answers = await servers.run(entries.map((entry) => createCommand(entry, ttlMs)));
  for (const [index, { n }] of entries.entries()) {
    const answer = answers[index];
    if (isOurs(answer)) created.add(n);
    if (isOurs(answer) && answer?.error) unheard.add(n);
  }
  for (const answer of answers) valueIn(servers, answer);
}

/**
 * Whether an entry that was absent was written by us, or may have been: no answer came, or one that may be the second.
 * Such ones are taken back only where they are as we write them.
 */
function isOurs(answer: Answer | undefined): boolean {
  if (answer === undefined) return false;
  const wasRefused = answer.error !== null && isRefusal(answer.error);
  return answer.mayBeSecond || (answer.error === null ? isCreated(answer.value) : !wasRefused);
}

const mostPasses = 10;

/**
 * A failover loses what its new primary had not received yet, although it was acknowledged. So everything is read back,
 * and what is gone is written again, until a whole pass finds all of it. Hands back how many were written again.
 */
async function readBack(servers: Servers, progress: Progress, clock: Clock, signal: AbortSignal): Promise<number> {
  let writtenAgain = 0;
  for (let pass = 1; pass <= mostPasses; pass++) {
    const startedAt = clock.elapsed();
    const missing = await readBackOnce(servers, progress, pass === 1, signal);
    if (missing === 0) return writtenAgain;
    writtenAgain += missing;
    if (progress.ttlMs !== undefined && progress.ttlMs < clock.elapsed() - startedAt) throw livesTooShort(progress);
    await servers.replicate();
  }
  throw vanishing(servers, progress, writtenAgain);
}

/** Everything must be as it would be written. What was there before begins its time to live anew. */
async function readBackOnce(
  servers: Servers,
  { entries, ttlMs, created }: Progress,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<number> {
  let missing = 0;
  for (const batch of entryBatches(entries, servers.width())) {
    throwIfAborted(signal);
    const compared = await compare(servers, batch);
    refuseDifferent(servers, compared);
    const commands = compared.flatMap(({ entry, state }) => {
      if (state === 'absent') return createCommand(entry, ttlMs);
      return isFirst && !created.has(entry.n) ? refreshCommand(entry, ttlMs) : [];
    });
    for (const answer of await servers.run(commands)) valueIn(servers, answer);
    missing += compared.filter(({ state }) => state === 'absent').length;
  }
  return missing;
}

const shownLines = 3;

function refuseDifferent(servers: Servers, compared: readonly Compared[]): void {
  const lines = compared.filter(({ state }) => state === 'different').map((each) => conflictLine(servers, each));
  if (lines.length === 0) return;
  throw new LoadctlError('seeding-failed', 'a cache entry appeared with another value while it was seeded', {
    hint: 'Keep other writers away from these keys, then seed again; what this seed wrote was taken back.',
    lines: [...lines.slice(0, shownLines), ...(lines.length > shownLines ? [`… and ${formatCount(lines.length - shownLines)} more`] : [])],
  });
}

function conflictLine({ store }: Servers, { entry, found, wanted }: Compared): string {
  return `${store}: the key ${JSON.stringify(entry.key)} holds ${found}, not ${wanted}`;
}

function livesTooShort({ entries: { set }, ttlMs = 0 }: Progress): LoadctlError {
  return new LoadctlError('seeding-failed', `the ttl of ${set.name} (${formatDuration(ttlMs)}) is shorter than seeding takes`, {
    hint: 'Give the set a longer `ttl`.',
  });
}

function vanishing({ store }: Servers, { entries: { set } }: Progress, count: number): LoadctlError {
  return new LoadctlError('seeding-failed', `${store}: entries of ${set.key} vanish again and again (${count} were written again)`, {
    hint: 'Look whether the server evicts keys (INFO stats: evicted_keys; its maxmemory-policy), then seed again.',
  });
}
