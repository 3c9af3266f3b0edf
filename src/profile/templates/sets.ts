import { own } from '../../core/own.js';
import type { SeedEntries, SeedStep, SeedValue } from '../sections/seed.js';
import type { SetColumn } from '../words/names.js';
import { readTemplate } from '../words/template.js';
import { type Inverse, inverseOf } from './inverse.js';
import { type Pieces, pieceReader, type RowSource } from './pieces.js';

/** What is seeded, by name. */
export type Sets = Readonly<Record<string, SeedStep>>;

/** One set with its name. */
export type NamedSet<Step extends SeedStep = SeedStep> = Step & { readonly name: string };

/** A column of a set as the profile fills it. */
export interface SetValue {
  readonly set: SeedStep;
  readonly value: SeedValue;
}

/** The sets in the order in which they are put in: each after those that it refers to, else as they are written. */
export function inOrder(sets: Sets): NamedSet[] {
  const ordered = new Map<string, NamedSet>();
  const visit = (name: string, above: readonly string[]) => {
    const set = own(sets, name);
    if (set === undefined || ordered.has(name) || above.includes(name)) return;
    for (const { set: other } of referencesOf(set)) visit(other, [...above, name]);
    ordered.set(name, { ...set, name });
  };
  for (const name of Object.keys(sets)) visit(name, []);
  return [...ordered.values()];
}

/** The columns of sets that a set's templates refer to. */
export function referencesOf(set: SeedStep): SetColumn[] {
  return referencesIn('table' in set ? textsIn(set.columns) : [set.key, ...entryTexts(set)]);
}

/** The templates in what an entry holds; of a sorted set the members, too, which are a map's keys. */
export function entryTexts({ value, as }: Pick<SeedEntries, 'value' | 'as'>): string[] {
  const members = as === 'zset' && typeof value === 'object' && value !== null ? Object.keys(value) : [];
  return [...members, ...textsIn(value)];
}

/** The same of any templates. */
export function referencesIn(texts: readonly string[]): SetColumn[] {
  return texts.flatMap(readTemplate).flatMap((part) => (part.kind === 'ref' ? [part] : []));
}

/** Every text of a value that may hold templates. */
export function textsIn(value: SeedValue): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The column of a set; undefined where the set is none of a table's, or has no such column. */
export function setValue(sets: Sets, { set: name, column }: SetColumn): SetValue | undefined {
  const set = own(sets, name);
  if (set === undefined || !('table' in set)) return undefined;
  const value = own(set.columns, column);
  return value === undefined ? undefined : { set, value };
}

/** What a set's templates stand in. Sets have the same chance unless they say otherwise: a user's row and his cache entry agree. */
export function rowSource(sets: Sets, { random }: Pick<SeedStep, 'random'>, startedAt: string): RowSource {
  return {
    random: random ?? '',
    startedAt,
    refer: (set, column) => {
      const found = setValue(sets, { set, column });
      if (found === undefined) throw new Error(`no column ${column} of a set ${set}: the profile's rules let it through`);
      return { value: found.value, rows: found.set.rows, source: rowSource(sets, found.set, startedAt) };
    },
  };
}

/** The text that a column of a set has in each row. */
export function columnPieces(sets: Sets, { set, column }: SetColumn): { readonly pieces: Pieces; readonly rows: number } | undefined {
  const found = setValue(sets, { set, column });
  if (found === undefined || typeof found.value === 'object') return undefined;
  const pieces = pieceReader(rowSource(sets, found.set, '')).text(String(found.value), column);
  return { pieces, rows: found.set.rows };
}

/** How the row of a set is read back from one of its columns; undefined where it cannot be. */
export function columnInverse(sets: Sets, column: SetColumn): Inverse | undefined {
  const found = columnPieces(sets, column);
  return found && inverseOf(found.pieces, found.rows);
}

/** How the number of an entry is read back from its key. */
export function keyInverse(sets: Sets, set: SeedEntries): Inverse | undefined {
  return inverseOf(pieceReader(rowSource(sets, set, '')).text(set.key, 'key'), set.rows);
}
