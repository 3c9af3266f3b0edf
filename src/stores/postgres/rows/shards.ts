import { LoadctlError } from '../../../core/errors.js';
import type { PostgresStore, SeedTable } from '../../../profile/sections/schema.js';
import type { ShardBy } from '../../../profile/sections/stores.js';
import { flatten, type Pieces, render } from '../../../profile/templates/pieces.js';
import type { NamedSet } from '../../../profile/templates/sets.js';
import { hashes } from './hashes.js';

/** A set of rows, with its name. */
export type TableSet = NamedSet<SeedTable>;

/** Which rows of a set belong to a shard. */
export interface ShardRule {
  /** The column whose value says it. */
  readonly column: string;
  readonly by: ShardBy['by'];
  readonly shard: number;
  readonly shards: number;
}

/** The rule for one shard; undefined where the store has no shards. */
export function shardRule({ shards, shardBy }: PostgresStore, shard: number | null, set: TableSet): ShardRule | undefined {
  if (shard === null || !shards || !shardBy) return undefined;
  const column = [set.shardBy, shardBy.column, set.key].find((name) => name !== undefined && Object.hasOwn(set.columns, name));
  if (column === undefined) {
    throw new LoadctlError('invalid-profile', `the set ${set.name} does not say which shard a row belongs to`, {
      hint: `Give it the column ${shardBy.column}, or name another one of its columns as \`shardBy\`.`,
    });
  }
  return { column, by: shardBy.by, shard, shards: shards.length };
}

/** The numbers of the rows that a set has in one database, ascending: at even distances, or as a list. */
export type RowNumbers =
  | { readonly kind: 'even'; readonly first: number; readonly step: number; readonly last: number }
  | { readonly kind: 'list'; readonly list: readonly number[] };

/** All rows of a set that has no shards. */
export function allRows(rows: number): RowNumbers {
  return { kind: 'even', first: 1, step: 1, last: rows };
}

/** The rows on a shard, by their shard key; not for a rule in SQL, of which only Postgres can tell. */
export function rowsOnShard(rule: ShardRule & { readonly by: { kind: 'digits' | 'hash' } }, key: Pieces, rows: number): RowNumbers {
  const { by, shard } = rule;
  const plus = by.kind === 'digits' ? numberAtEnd(flatten(key, rows)) : undefined;
  if (plus !== undefined) return { kind: 'even', first: firstWith(shard - plus, by.modulo), step: by.modulo, last: rows };
  const place = (text: string) => (by.kind === 'hash' ? hashes[by.hash](text) % by.modulo : remainder(text, by.modulo));
  const list: number[] = [];
  for (let n = 1; n <= rows; n++) if (place(render(key, n)) === shard) list.push(n);
  return { kind: 'list', list };
}

/** What is added to the row's number in the key's trailing digits; undefined where they are something else. */
function numberAtEnd(key: Pieces): number | undefined {
  const [last, before] = [key.at(-1), key.at(-2)];
  const isApart = before === undefined || (typeof before === 'string' && !/\d$/.test(before));
  return typeof last === 'object' && last.kind === 'n' && last.plus >= 0 && isApart ? last.plus : undefined;
}

/** The first number from 1 on that leaves this remainder. */
function firstWith(remainder: number, modulo: number): number {
  const first = ((remainder % modulo) + modulo) % modulo;
  return first === 0 ? modulo : first;
}

/** The numbers one by one. */
export function* eachNumber(numbers: RowNumbers): Generator<number> {
  if (numbers.kind === 'list') yield* numbers.list;
  else for (let n = numbers.first; n <= numbers.last; n += numbers.step) yield n;
}

/** How many there are. */
export function countNumbers(numbers: RowNumbers): number {
  if (numbers.kind === 'list') return numbers.list.length;
  return Math.max(0, Math.floor((numbers.last - numbers.first) / numbers.step) + 1);
}

/** A part of them: `count` numbers after the first `from`. */
export function partOf(numbers: RowNumbers, from: number, count: number): RowNumbers {
  if (numbers.kind === 'list') return { kind: 'list', list: numbers.list.slice(from, from + count) };
  const { step, last } = numbers;
  const first = numbers.first + from * step;
  return { kind: 'even', first, step, last: Math.min(last, first + (count - 1) * step) };
}

/** Those above `n`. */
export function numbersAbove(numbers: RowNumbers, n: number): RowNumbers {
  if (numbers.kind === 'list') return { kind: 'list', list: numbers.list.filter((each) => each > n) };
  const { first, step } = numbers;
  return n < first ? numbers : { ...numbers, first: first + (Math.floor((n - first) / step) + 1) * step };
}

/** The remainder of a key's trailing digits; a key without any is an error. */
export function remainder(key: string, modulo: number): number {
  const digits = /\d+$/.exec(key)?.[0];
  if (digits !== undefined) return digits.length < 16 ? Number(digits) % modulo : Number(BigInt(digits) % BigInt(modulo));
  throw new LoadctlError('seeding-failed', `the key ${JSON.stringify(key)} does not end in digits, so its shard is unknown`, {
    hint: 'End the shard key in the row’s number (`user-{n}`), or choose by a hash: `shardBy: crc32(id) % 4`.',
  });
}
