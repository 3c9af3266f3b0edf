import { LoadctlError } from '../../core/errors.js';
import type { RedisStore } from '../../profile/schema.js';
import { addConflicts, type Conflicts, noConflicts, type SeededStep, type Seeding, type StoreContext, type StoreTask } from '../types.js';
import { type Answer, type Connection, openConnection, urlIndex } from './connection.js';
import { type Entry, type EntryStep, entryBatches, isEntryStep } from './entries.js';
import { replyWord, translate } from './errors.js';

/** A step on its way; `created` are the numbers of the entries that were written by us, as ranges: often only one. */
interface Progress {
  readonly step: EntryStep;
  readonly created: [from: number, to: number][];
  checkMs: number;
}

/** Seeds the index that the store's URL names. */
export async function openSeeding(config: RedisStore, task: StoreTask, context: StoreContext): Promise<Seeding> {
  const connection = await openConnection(config, urlIndex(context.store, config), context);
  const steps = task.seed.filter(isEntryStep).map((step): Progress => ({ step, created: [], checkMs: 0 }));
  return {
    async check() {
      let conflicts = noConflicts;
      for (const progress of steps) conflicts = addConflicts(conflicts, await checkStep(connection, progress));
      return conflicts;
    },
    others: () => Promise.resolve([]),
    async commit() {
      // Half written is worse than written late: an interrupt waits until the entries are in, or taken back.
      connection.seal();
      const done: SeededStep[] = [];
      for (const [index, progress] of steps.entries()) done.push(await writeStep(connection, progress, index + 1, context));
      return done;
    },
    async rollBack() {
      for (const progress of steps) await takeBack(connection, progress);
    },
    close: () => Promise.resolve(connection.close()),
  };
}

async function checkStep(connection: Connection, progress: Progress): Promise<Conflicts> {
  const startedAt = performance.now();
  let conflicts = noConflicts;
  for (const entries of entryBatches(progress.step)) {
    for (const { entry, state, found } of await compare(connection, entries)) {
      if (state === 'different') conflicts = addConflicts(conflicts, { count: 1, lines: [conflictLine(connection, entry, found)] });
    }
  }
  progress.checkMs = performance.now() - startedAt;
  return conflicts;
}

/** SET … NX: an entry that appeared since the check is never overwritten, and fails the seed when it differs. */
async function writeStep(connection: Connection, progress: Progress, number: number, { emit, store }: StoreContext): Promise<SeededStep> {
  const { step } = progress;
  const id = `seed ${store} ${number} ${step.key}`;
  emit({ type: 'step-started', step: id, title: `${step.key} in ${store}` });
  const startedAt = performance.now();
  let created = 0;
  try {
    for (const entries of entryBatches(step)) {
      created += await writeBatch(connection, progress, entries);
      emit({ type: 'step-progressed', step: id, done: entries.at(-1)?.n ?? 0, total: step.rows, unit: 'entries' });
    }
  } catch (error) {
    emit({ type: 'step-failed', step: id, message: error instanceof Error ? error.message : String(error) });
    throw error;
  }
  const elapsedMs = Math.round(performance.now() - startedAt + progress.checkMs);
  const rowsPerSecond = Math.round(step.rows / Math.max(elapsedMs / 1000, 0.001));
  const alreadyThere = step.rows - created;
  emit({
    type: 'step-finished',
    step: id,
    elapsedMs,
    detail: `${created} created, ${alreadyThere} already there, ${rowsPerSecond} entries/s`,
  });
  return { store, shard: null, what: step.key, created, alreadyThere, conflicts: 0, elapsedMs, rowsPerSecond };
}

async function writeBatch(connection: Connection, { step, created }: Progress, entries: readonly Entry[]): Promise<number> {
  const ttl = step.ttl === undefined ? undefined : Math.max(1, Math.round(step.ttl));
  const answers = await connection.batch((pipeline) => {
    for (const { key, value } of entries) {
      if (ttl === undefined) pipeline.set(key, value, 'NX');
      else pipeline.set(key, value, 'PX', ttl, 'NX');
    }
  });
  const there = entries.filter(({ n }, index) => {
    const isNew = answerOf(connection, answers[index]) === 'OK';
    if (isNew) addNumber(created, n);
    return !isNew;
  });
  for (const { entry, state, found } of await compare(connection, there)) {
    if (state !== 'equal') throw conflictError({ count: 1, lines: [conflictLine(connection, entry, found)] });
  }
  if (ttl !== undefined && there.length > 0) {
    const refreshed = await connection.batch((pipeline) => {
      for (const { key } of there) pipeline.pexpire(key, ttl);
    });
    for (const answer of refreshed) answerOf(connection, answer);
  }
  return entries.length - there.length;
}

async function takeBack(connection: Connection, { step, created }: Progress): Promise<void> {
  for (const [from, to] of created) {
    for (const entries of entryBatches(step, from, to)) await connection.run((client) => client.del(...entries.map(({ key }) => key)));
  }
}

/** Adds the number to the last range, or begins one with it; numbers come in their order. */
function addNumber(ranges: [from: number, to: number][], n: number): void {
  const last = ranges.at(-1);
  if (last?.[1] === n - 1) last[1] = n;
  else ranges.push([n, n]);
}

interface Compared {
  readonly entry: Entry;
  readonly state: 'absent' | 'equal' | 'different';
  readonly found: string;
}

/** Holds entries against what is there, byte by byte. */
export async function compare(connection: Connection, entries: readonly Entry[]): Promise<Compared[]> {
  if (entries.length === 0) return [];
  const answers = await connection.batch((pipeline) => {
    for (const { key } of entries) pipeline.getBuffer(key);
  });
  return entries.map((entry, index) => {
    const answer = answers[index];
    if (replyWord(answer?.[0]) === 'WRONGTYPE') return { entry, state: 'different', found: 'no string but a list, hash or the like' };
    const value = answerOf(connection, answer);
    if (!Buffer.isBuffer(value)) return { entry, state: 'absent', found: 'nothing' };
    return { entry, state: value.equals(Buffer.from(entry.value)) ? 'equal' : 'different', found: shorten(value.toString()) };
  });
}

function answerOf(connection: Connection, answer: Answer | undefined): unknown {
  if (answer?.[0]) throw translate(answer[0], connection.store, connection.node);
  return answer?.[1];
}

function conflictLine({ store }: Connection, { key, value }: Entry, found: string): string {
  return `${store}: the key ${JSON.stringify(key)} holds ${found}, not ${shorten(value)}`;
}

function conflictError({ lines }: Conflicts): LoadctlError {
  return new LoadctlError('seeding-failed', 'a cache entry appeared with another value while it was seeded', {
    hint: 'Keep other writers away from these keys, then seed again; what this seed wrote was taken back.',
    lines,
  });
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
