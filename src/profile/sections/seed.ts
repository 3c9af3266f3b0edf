import { z } from 'zod';
import { templateProblem } from '../words/template.js';
import { count, duration, template, text } from '../words/words.js';

/** What a column or a cache entry may hold: a template, or any JSON value with templates in it. */
export type SeedValue = string | number | boolean | null | SeedValue[] | { [key: string]: SeedValue };

const seedValue: z.ZodType<SeedValue, SeedValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(seedValue), z.record(z.string(), seedValue)]),
);

const checkedValue = () =>
  seedValue.superRefine((value, context) => {
    for (const { path, problem } of problemsIn(value, [])) context.addIssue({ code: 'custom', message: problem, path });
  });

const store = text('the name of a store').meta({ description: 'The store’s name.', examples: ['db'] });

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
    store,
    table: text('a table’s name').meta({ description: 'The table that is filled.', examples: ['users'] }),
    schema: text('a schema’s name')
      .meta({ description: 'The table’s schema, where the search path does not find it.', examples: ['public'] })
      .exactOptional(),
    rows: count().describe('How many rows: `{n}` counts from 1 to this.'),
    random,
    columns: z
      .record(text('a column’s name'), checkedValue())
      .refine((columns) => Object.keys(columns).length > 0, { error: 'expected at least one column such as `id: "user-{n}"`' })
      .meta({
        description:
          'What each column gets; other columns are never written. Templates: `{n}`, `{uuid}`, `{now}`, `{pick:a|b}`, `{int:1..100}`, `{ref:table.column}`.',
        examples: [{ id: 'user-{n}' }],
      }),
    key: text('a column’s name')
      .meta({ description: 'The column that tells rows apart, where it is not the table’s primary key.', examples: ['id'] })
      .exactOptional(),
    shardBy: text('a column’s name')
      .meta({ description: 'The column that says which shard a row is in, where it is not the store’s.', examples: ['user_id'] })
      .exactOptional(),
  })
  .describe('Rows of a table.');

const entries = z
  .strictObject({
    store,
    key: template('a key such as `user:user-{n}`').meta({ description: 'The key of each entry.', examples: ['user:user-{n}'] }),
    rows: count().describe('How many entries: `{n}` counts from 1 to this.'),
    random,
    value: checkedValue().meta({
      description: 'What each entry holds: a text as it is, anything else as JSON; or what `as` says.',
      examples: [{ id: 'user-{n}' }],
    }),
    as: z
      .enum(['text', 'json', 'hash'], { error: 'expected `text`, `json` or `hash`' })
      .meta({
        description: 'How it is stored: as a text, as JSON text (a text in quotes, too), or as a hash with the value’s keys as its fields.',
        examples: ['hash'],
      })
      .exactOptional(),
    ttl: duration()
      .meta({ description: 'How long an entry lives; for ever without it.', examples: ['1h'] })
      .exactOptional(),
  })
  .describe('Entries of a cache.');

/** What is put in before the test. */
export const seed = z
  .array(z.union([table, entries]))
  .prefault([])
  .describe('What is put in before the test, in this order.');

function problemsIn(value: SeedValue, path: (string | number)[]): { path: (string | number)[]; problem: string }[] {
  if (typeof value === 'string') {
    const problem = templateProblem(value);
    return problem === undefined ? [] : [{ path, problem }];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => problemsIn(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => problemsIn(item, [...path, key]));
}
