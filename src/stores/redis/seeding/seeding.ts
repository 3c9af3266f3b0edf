import { throwIfAborted } from '../../../core/abort.js';
import { LoadctlError } from '../../../core/errors.js';
import type { EvictedKeys, SeededStep } from '../../../core/events.js';
import type { Clock } from '../../../core/os.js';
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
import { replyWord } from '../connection/errors.js';
import { seedIndex } from '../connection/login.js';
import type { Memory } from '../connection/memory.js';
import type { Servers } from '../connection/servers.js';
import { type Entries, entriesOf, entryBatches, keyPieces } from '../keys/entries.js';
import { ranges } from '../keys/ranges.js';
import { takeBack } from '../keys/take-back.js';
import { type Compared, compare, compareAbsent } from '../keys/values.js';
import { sumUpOthers } from '../proof/others.js';
import { openServers } from '../servers/open.js';
import { evictedSince, memories, type Needed, needed, refuseEviction } from './room.js';
import { conflictLine, type Progress, readBack, writeAll } from './writing.js';

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
          // Others had time to fill it since.
          refuseEviction(servers, await memories(servers), room);
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
          for (const progress of sets)
            if (progress.created.size() > 0) await takeBack(servers, progress, { ...context, named: task.named });
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
  let isFresh = false; // as far as the batch before tells
  for (const batch of entryBatches(progress.entries, servers.width())) {
    const looked = await (isFresh ? compareAbsent : compare)(servers, batch);
    isFresh = looked.filter(({ state }) => state === 'absent').length > looked.length / 2;
    for (const compared of looked) {
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
