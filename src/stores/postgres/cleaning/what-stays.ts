import type { ReceiptLine } from '../../../core/receipt.js';
import { findFamily } from '../catalog/family.js';
import { type ForeignKey, isReferenced } from '../catalog/foreign-keys.js';
import type { Surroundings } from '../catalog/surroundings.js';
import type { Table } from '../catalog/tables.js';
import { holdsNoSuchValue } from '../connection/errors.js';
import type { Session } from '../connection/session.js';
import { hashed, type Looking, overPages } from '../pages/look.js';
import { isIn } from '../pages/piece.js';
import { describeRow, looksSeeded, type SeededRows, setName } from '../rows/seeded-rows.js';
import { noneOf, type Target } from '../selection/targets.js';
import { entryFor } from './references.js';
import { countPairs, countThere, firstChanged, holdsSame, isUnchanged } from './set-rows.js';

/** What became of a set's rows. */
export interface Taken {
  readonly deleted: number;
  /** All that are there still, whatever they hold; null where nothing tells which those are. In a dry run those that would go. */
  readonly left: number | null;
  /** Which rows stay, and why. */
  readonly lines: readonly ReceiptLine[];
  /** How many went by themselves while those who held them were waited for: `vanishedLines` says so. */
  readonly vanished?: number;
}

/** What a real cleanup takes out before. */
export interface GoneBefore {
  readonly targets: readonly Target[];
  readonly seeded: readonly SeededRows[];
}

/** A line of the receipt about a set's rows in this database. */
export function lineOf({ address }: Session, rows: SeededRows, line: Omit<ReceiptLine, 'store' | 'shard' | 'what'>): ReceiptLine {
  return { ...line, store: rows.set.store, shard: address.shard, what: setName(rows) };
}

/** What makes seeded rows of a table certain. */
export const howToBeCertain = 'seed a column with {n} or {uuid} that is unique in its table, or list the table under cleanup.rows';

/** Rows that may as well be other people's are nobody's to delete, and nothing tells which of them are there. */
export async function leaveUncertain(looking: Looking, rows: SeededRows): Promise<Taken> {
  const { session } = looking;
  let equal = 0;
  await overPages<{ rows: string }>(looking, await findFamily(session, rows.table), {
    sqlOf: (range) => `SELECT count(*) AS rows FROM ${range.part.from} AS t WHERE ${isIn(range)} AND ${looksSeeded(rows, 't')}`,
    take: (found) => {
      equal += Number(found.rows);
    },
    settings: hashed,
  }).catch((error: unknown) => {
    if (!holdsNoSuchValue(error)) throw error;
  });
  const why = `no unique key of theirs holds {n} or {uuid}, so they cannot be distinguished from rows of others (${equal} now hold what was seeded)`;
  return { deleted: 0, left: null, lines: [lineOf(session, rows, { kind: 'unknown', count: null, why, command: howToBeCertain })] };
}

/** Why rows of a set are left alone, and what to do about it. */
export type Doubt = Pick<ReceiptLine, 'why' | 'command'>;

/** Rows that something stands against are only counted. */
export async function leaveDoubtful(looking: Looking, rows: SeededRows, doubt: Doubt): Promise<Taken> {
  const left = await countThere(looking, rows);
  const lines = left === 0 ? [] : [lineOf(looking.session, rows, { kind: 'left', count: left, ...doubt })];
  return { deleted: 0, left, lines };
}

/** Which rows (alias o) that reference a row by a key are still there when it is to go. */
export function staysBefore(key: ForeignKey, goneBefore: GoneBefore = { targets: [], seeded: [] }): string {
  const ofTable = ({ table }: { readonly table: Table }) => table.oid === key.table.oid;
  const gone = goneBefore.seeded.filter((set) => ofTable(set) && set.own !== undefined).map((set) => `NOT ${isUnchanged(set, 'o')}`);
  return [noneOf(goneBefore.targets.filter(ofTable), 'o'), ...gone].join(' AND ');
}

/** What is asked about rows that stay. */
interface Staying extends Surroundings {
  /** How a command names the profile. */
  readonly named: string;
  readonly goneBefore?: GoneBefore | undefined;
}

/** Why rows of a set stay: somebody changed them, or references them. */
export async function whatStays(looking: Looking, rows: SeededRows, { family, keys, named, goneBefore }: Staying): Promise<ReceiptLine[]> {
  const lines = await changedRows(looking, rows, named);
  const before: string[] = [];
  for (const key of keys) {
    const isHeld = isReferenced(family, key, staysBefore(key, goneBefore));
    const held = await countPairs(looking, rows, [holdsSame(rows), isHeld, ...before.map((other) => `NOT ${other}`)].join(' AND '));
    before.push(isHeld);
    if (held === 0) continue;
    const why = `rows of ${rows.set.store}.${key.table.inProfile} reference ${held === 1 ? 'it' : 'them'}`;
    const command = `add to cleanup.rows: ${entryFor(rows.set.store, rows.set.name, key)}`;
    lines.push(lineOf(looking.session, rows, { kind: 'left', count: held, why, command }));
  }
  return lines;
}

async function changedRows(looking: Looking, rows: SeededRows, named: string): Promise<ReceiptLine[]> {
  const changed = await countPairs(looking, rows, `NOT (${holdsSame(rows)})`);
  if (changed === 0) return [];
  const first = await firstChanged(looking, rows, 3);
  const shown = first.map((n) => describeRow(rows, n)).join(', ');
  const why = `changed since the seed: ${shown}${changed > first.length ? ', …' : ''}`;
  return [lineOf(looking.session, rows, { kind: 'left', count: changed, why, command: `loadctl seed ${named} --reset` })];
}
