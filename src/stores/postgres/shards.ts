import { LoadctlError } from '../../core/errors.js';
import type { PostgresStore, SeedStep } from '../../profile/schema.js';
import { readPieces, render } from '../pieces.js';

/** A seed step that fills a table. */
export type TableStep = Extract<SeedStep, { table: string }>;

/** Which rows of a step belong to a shard: those whose key's trailing digits leave this remainder. */
export interface ShardRule {
  readonly column: string;
  readonly modulo: number;
  readonly remainder: number;
}

/** The rule for one shard; undefined where the store has no shards. */
export function shardRule(config: PostgresStore, shard: number | null, step: TableStep): ShardRule | undefined {
  if (shard === null || !config.shards) return undefined;
  const column = [config.shardBy?.column, step.key].find((name) => name !== undefined && Object.hasOwn(step.columns, name));
  if (column === undefined) {
    throw new LoadctlError('invalid-profile', `the seed of ${step.table} does not say which shard a row belongs to`, {
      hint: `Give it the column ${config.shardBy?.column ?? 'that shardBy names'}, or name another one of its columns as \`key\`.`,
    });
  }
  return { column, modulo: config.shards.length, remainder: shard };
}

/** The numbers `n` of the rows that are seeded: all of them, or a shard's. */
export function* rowNumbers(step: TableStep, rule: ShardRule | undefined): Generator<number> {
  const template = rule && step.columns[rule.column];
  const key = readPieces(String(template ?? ''));
  for (let n = 1; n <= step.rows; n++) {
    if (!rule || remainder(render(key, n), rule.modulo) === rule.remainder) yield n;
  }
}

/** The remainder of a key's trailing digits; a key without any is an error. */
export function remainder(key: string, modulo: number): number {
  const digits = /\d+$/.exec(key)?.[0];
  if (digits !== undefined) return Number(BigInt(digits) % BigInt(modulo));
  throw new LoadctlError('seeding-failed', `the key ${JSON.stringify(key)} does not end in digits, so no shard is its own`, {
    hint: 'Let the shard key end in the row’s number: `user-{n}`.',
  });
}
