import { z } from 'zod';
import { nameRule } from '../words/names.js';
import { reservedNames, templateProblem } from '../words/template.js';
import { count, duration, storeKey, tableName, text } from '../words/words.js';

/** What a column or a cache entry may hold: a template, or any JSON value with templates in it. */
export type SeedValue = string | number | boolean | null | SeedValue[] | { [key: string]: SeedValue };

const seedValue: z.ZodType<SeedValue, SeedValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(seedValue), z.record(z.string(), seedValue)]),
);

const checkedValue = () =>
  seedValue.superRefine((value, context) => {
    for (const { path, problem } of problemsIn(value, [])) context.addIssue({ code: 'custom', message: problem, path });
  });

/** So many that a `{uuid}` can carry the number of each. */
const mostRows = 1_000_000_000_000;
const rows = (what: string) => count(1, mostRows).describe(`How many ${what}: \`{n}\` counts from 1 to this.`);

const random = z
  .union([z.string(), z.number()], { error: 'expected a text or a number' })
  .transform(String)
  .meta({
    description: 'What `{uuid}`, `{pick:…}` and `{int:…}` choose by: with another text they choose otherwise.',
    examples: [42],
  })
  .exactOptional();

const table = z
  .strictObject({
    table: tableName().meta({
      description: 'The store and the table that is filled: `store.table`, `store.schema.table`.',
      examples: ['db.users'],
    }),
    rows: rows('rows'),
    random,
    columns: z
      .record(text('a column’s name'), checkedValue())
      .refine((columns) => Object.keys(columns).length > 0, { error: 'expected at least one column such as `id: "user-{n}"`' })
      .meta({
        description:
          'What each column gets; other columns are never written. Templates: `{n}`, `{n+1000}`, `{uuid}`, `{now}`, `{pick:a|b}`, `{int:1..100}`, `{users.id}`.',
        examples: [{ id: 'user-{n}' }],
      }),
    key: text('a column’s name')
      .meta({ description: 'The column that identifies rows, where it is not the table’s primary key.', examples: ['id'] })
      .exactOptional(),
    shardBy: text('a column’s name')
      .meta({ description: 'The column that says which shard a row is in, where it is not the store’s.', examples: ['user_id'] })
      .exactOptional(),
  })
  .describe('Rows of a table.')
  .transform(({ table: name, ...set }) => ({ ...name, ...set }));

/** How an entry of a cache can be stored. */
const forms = ['text', 'json', 'hash', 'list', 'set', 'zset'] as const;

const entries = z
  .strictObject({
    key: storeKey('cache/user:{n}')
      .superRefine(checkTemplate)
      .meta({
        description:
          'The store and the key of each entry: `store/key`. The key is a template that identifies its row: with `{n}`, `{uuid}` or a column of a set.',
        examples: ['cache/user:{users.id}'],
      }),
    rows: rows('entries'),
    random,
    value: checkedValue().meta({
      description: 'What each entry holds: a text as it is, anything else as JSON; or what `as` says.',
      examples: [{ id: '{users.id}' }],
    }),
    as: z
      .enum(forms, { error: 'expected `text`, `json`, `hash`, `list`, `set` or `zset`' })
      .meta({
        description:
          'How it is stored: as a text, as JSON text, as a hash (of a map), as a list or set (of a list), or as a sorted set (of a map of members and scores).',
        examples: ['hash'],
      })
      .exactOptional(),
    ttl: duration()
      .meta({ description: 'How long an entry lives; for ever without it.', examples: ['1h'] })
      .exactOptional(),
  })
  .describe('Entries of a cache.')
  .transform(({ key: { store, key }, ...set }) => ({ store, key, ...set }));

const setName = z
  .string()
  .regex(nameRule, { error: 'expected a name of letters, digits, `-` and `_` that begins with a letter' })
  .refine((name) => !reservedNames.includes(name), { error: `expected another name: \`{${reservedNames.join('}`, `{')}}\` are templates` });

/** What is put in before the test: sets of rows and entries, by name. */
export const seed = z
  .record(setName, z.union([table, entries]))
  .prefault({})
  .meta({
    description:
      'What is inserted before the test: named sets, each after those that it refers to, else as they are written. `null` removes an inherited one.',
  });

/** A set of rows. */
export type SeedTable = z.output<typeof table>;
/** A set of cache entries. */
export type SeedEntries = z.output<typeof entries>;
/** A set without its name. */
export type SeedStep = SeedTable | SeedEntries;

function checkTemplate({ key }: { readonly key: string }, context: z.core.$RefinementCtx): void {
  const problem = templateProblem(key);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
}

function problemsIn(value: SeedValue, path: (string | number)[]): { path: (string | number)[]; problem: string }[] {
  if (typeof value === 'string') {
    const problem = templateProblem(value);
    return problem === undefined ? [] : [{ path, problem }];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => problemsIn(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => problemsIn(item, [...path, key]));
}
