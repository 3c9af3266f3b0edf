import type { CountedBefore } from '../../core/events.js';
import { linesInMemory, type NotedLines } from '../../core/noted-lines.js';
import { isRecord } from '../../core/own.js';
import { sha256Hex } from '../../core/uuids.js';

/** Where a transaction is: a store, and which of its databases. */
export type Place = { readonly store: string; readonly shard: number | null };

/** What one transaction removes, noted before it commits. */
export interface Removal extends Place {
  readonly transaction: string;
  /** How many rows of each set, by its fingerprint. */
  readonly sets: Readonly<Record<string, number>>;
}

/** What the notes of earlier cleanups come to in one database. */
export interface NotedBefore {
  /** Rows that are gone for sure, by the fingerprint of their set. */
  readonly sets: ReadonlyMap<string, number>;
  /** Transactions of which nobody here heard whether they are in. */
  readonly open: readonly Removal[];
}

/** An entry whose rows hold the ids of others, to which no foreign key binds them. */
export interface LooseEntry extends Place {
  readonly what: string;
}

/** Where it is noted what cleanups remove: rows of sets, until the record of the seed says so, and the ids of parents, until it is proven that no child is left. */
export interface RemovalNotes {
  readonly sets: NotedLines;
  readonly parents: NotedLines;
}

/** Notes what a cleanup removes, so that one that comes after it knows, however this one ends. */
export interface Removals {
  /** Whether it is known how many rows of the sets should be there. */
  readonly counts: boolean;
  removing(removal: Removal): void;
  removed(place: Place, transaction: string): void;
  notedBefore(place: Place): Promise<NotedBefore>;
  /** The ids of rows that are about to go, which rows of an entry may hold. */
  losing(entry: LooseEntry, ids: readonly string[]): void;
  /** Those ids, of earlier cleanups too, so many at a time; once they were asked for, the entry is one that is looked after. */
  lost(entry: LooseEntry, atOnce: number): AsyncIterable<readonly string[]>;
  /** The entries that ids were noted for, and that nobody looks after any more. */
  forsaken(): Promise<LooseEntry[]>;
  /** No row of any entry is left that holds one of the ids. */
  settleParents(): Promise<void>;
}

/** Notes in memory: for one cleanup. */
export function notesInMemory(): RemovalNotes {
  return { sets: linesInMemory(), parents: linesInMemory() };
}

/** Notes on top of a record of what was seeded: once that is written anew, what was noted of it before counts no more. */
export function removalsOn({ sets, parents }: RemovalNotes, record: CountedBefore | undefined): Removals {
  const base = record && sha256Hex(JSON.stringify([record.at, record.seeded]));
  const asked = new Set<string>();
  return {
    counts: base !== undefined,
    removing: (removal) => sets.add({ base, ...removal }),
    removed: ({ store, shard }, transaction) => sets.add({ base, store, shard, transaction }),
    notedBefore: (place) => sumUp(sets, (line) => base !== undefined && line.base === base && isAt(line, place)),
    losing: (entry, ids) => parents.add({ ...entry, ids }),
    lost(entry, atOnce) {
      asked.add(keyOf(entry));
      return idsOf(parents, entry, atOnce);
    },
    forsaken: async () => [...(await entriesIn(parents))].flatMap(([key, entry]) => (asked.has(key) ? [] : [entry])),
    settleParents: () => parents.clear(),
  };
}

/** A line as it was written, by whichever loadctl. */
type Line = Record<string, unknown>;

async function* eachLine(lines: NotedLines): AsyncIterable<Line> {
  for await (const some of lines.read()) yield* some.filter(isRecord);
}

function isAt(line: Line, { store, shard }: Place): boolean {
  return line.store === store && line.shard === shard;
}

async function sumUp(lines: NotedLines, isOf: (line: Line) => boolean): Promise<NotedBefore> {
  const sums = new Map<string, number>();
  const open = new Map<string, Removal>();
  for await (const line of eachLine(lines)) {
    if (!isOf(line) || typeof line.transaction !== 'string') continue;
    if (isRemoval(line)) open.set(line.transaction, line);
    else {
      for (const [print, rows] of Object.entries(open.get(line.transaction)?.sets ?? {})) sums.set(print, (sums.get(print) ?? 0) + rows);
      open.delete(line.transaction);
    }
  }
  return { sets: sums, open: [...open.values()] };
}

function isRemoval(line: Line): line is Line & Removal {
  return isRecord(line.sets) && Object.values(line.sets).every((rows) => typeof rows === 'number');
}

function keyOf({ store, shard, what }: LooseEntry): string {
  return JSON.stringify([store, shard, what]);
}

function isEntry(line: Line): line is Line & LooseEntry & { ids: unknown[] } {
  return typeof line.store === 'string' && typeof line.what === 'string' && Array.isArray(line.ids);
}

async function* idsOf(lines: NotedLines, entry: LooseEntry, atOnce: number): AsyncIterable<readonly string[]> {
  let ids: string[] = [];
  for await (const line of eachLine(lines)) {
    if (!isEntry(line) || keyOf(line) !== keyOf(entry)) continue;
    for (const id of line.ids) {
      if (typeof id === 'string') ids.push(id);
      if (ids.length < atOnce) continue;
      yield ids;
      ids = [];
    }
  }
  if (ids.length > 0) yield ids;
}

async function entriesIn(lines: NotedLines): Promise<Map<string, LooseEntry>> {
  const entries = new Map<string, LooseEntry>();
  for await (const line of eachLine(lines))
    if (isEntry(line)) entries.set(keyOf(line), { store: line.store, shard: line.shard, what: line.what });
  return entries;
}
