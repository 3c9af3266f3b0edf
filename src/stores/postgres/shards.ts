import { LoadctlError } from '../../core/errors.js';
import type { PostgresStore, SeedStep } from '../../profile/sections/schema.js';
import type { ShardBy } from '../../profile/sections/stores.js';
import { hashes } from '../templates/hashes.js';
import { type Pieces, render } from '../templates/pieces.js';

/** A seed step that fills a table. */
export type TableStep = Extract<SeedStep, { table: string }>;

/** Which rows of a step belong to a shard. */
export interface ShardRule {
  /** The column whose value says it. */
  readonly column: string;
  readonly by: ShardBy['by'];
  readonly shard: number;
  readonly shards: number;
}

/** The rule for one shard; undefined where the store has no shards. */
export function shardRule({ shards, shardBy }: PostgresStore, shard: number | null, step: TableStep): ShardRule | undefined {
  if (shard === null || !shards || !shardBy) return undefined;
  const column = [step.shardBy, shardBy.column, step.key].find((name) => name !== undefined && Object.hasOwn(step.columns, name));
  if (column === undefined) {
    throw new LoadctlError('invalid-profile', `the seed of ${step.table} does not say which shard a row belongs to`, {
      hint: `Give it the column ${shardBy.column}, or name another one of its columns as \`shardBy\`.`,
    });
  }
  return { column, by: shardBy.by, shard, shards: shards.length };
}

/** The numbers of the rows that a step has in one database, ascending: at even distances, or as a list. */
export type RowNumbers =
  | { readonly kind: 'even'; readonly first: number; readonly step: number; readonly last: number }
  | { readonly kind: 'list'; readonly list: readonly number[] };

/** All rows of a step that has no shards. */
export function allRows(rows: number): RowNumbers {
  return { kind: 'even', first: 1, step: 1, last: rows };
}

/** The rows on a shard, by their shard key; not for a rule in SQL, of which only Postgres can tell. */
export function rowsOnShard(rule: ShardRule & { readonly by: { kind: 'digits' | 'hash' } }, key: Pieces, rows: number): RowNumbers {
  const { by, shard } = rule;
  if (by.kind === 'digits' && endsInNumber(key))
    return { kind: 'even', first: shard === 0 ? by.modulo : shard, step: by.modulo, last: rows };
  const place = (text: string) => (by.kind === 'hash' ? hashes[by.hash](text) % by.modulo : remainder(text, by.modulo));
  const list: number[] = [];
  for (let n = 1; n <= rows; n++) if (place(render(key, n)) === shard) list.push(n);
  return { kind: 'list', list };
}

/** Whether the trailing digits of the key are the row's number and nothing else. */
function endsInNumber(key: Pieces): boolean {
  const [last, before] = [key.at(-1), key.at(-2)];
  const isApart = before === undefined || (typeof before === 'string' && !/\d$/.test(before));
  return typeof last === 'object' && last.kind === 'n' && isApart;
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

/** The remainder of a key's trailing digits; a key without any is an error. */
export function remainder(key: string, modulo: number): number {
  const digits = /\d+$/.exec(key)?.[0];
  if (digits !== undefined) return digits.length < 16 ? Number(digits) % modulo : Number(BigInt(digits) % BigInt(modulo));
  throw new LoadctlError('seeding-failed', `the key ${JSON.stringify(key)} does not end in digits, so no shard is its own`, {
    hint: 'Let the shard key end in the row’s number (`user-{n}`), or choose by a hash: `shardBy: crc32(id) % 4`.',
  });
}
