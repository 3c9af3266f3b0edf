import { z } from 'zod';
import { duration, range, text } from '../words/words.js';

const wildcard = /[%_*?[\]\\]/;

/** Whether a prefix is long and plain enough to delete by: 8 characters or more, none of them a wildcard. */
function prefixProblem(prefix: string): string | undefined {
  if (wildcard.test(prefix)) return 'expected a prefix without wildcards (`%`, `_`, `*`, `?`, `[`, `]` and `\\` are some)';
  return prefix.length < 8 ? 'expected a prefix of at least 8 characters such as `load-test-user-`' : undefined;
}

const store = text('the name of a store').meta({ description: 'The store’s name.', examples: ['db'] });
const tableName = text('a table’s name');

const byColumn = z
  .strictObject({
    store,
    table: tableName.meta({ description: 'A table that holds test data.', examples: ['reservations'] }),
    column: text('a column’s name').meta({ description: 'The column whose value begins with the prefix.', examples: ['user_id'] }),
  })
  .describe('Rows by their own column: its value begins with the prefix.');

const byRange = z
  .strictObject({
    store,
    table: tableName.meta({ description: 'A table that holds test data.', examples: ['orders'] }),
    column: text('a column’s name').meta({ description: 'The column of whole numbers.', examples: ['customer_id'] }),
    range: range().describe('The numbers that only the test uses, both ends included.'),
  })
  .describe('Rows by a number that lies in a range.');

const byUuid = z
  .strictObject({
    store,
    table: tableName.meta({ description: 'A table that holds test data.', examples: ['orders'] }),
    column: text('a column’s name').meta({ description: 'The column of UUIDs.', examples: ['customer_id'] }),
    uuid: text('the name of a namespace').meta({
      description: 'The namespace that the test’s UUIDs are of: `{uuid:NAME}` in a seed, `LOADCTL_UUID_PREFIXES` in a script.',
      examples: ['load-test'],
    }),
  })
  .describe('Rows by a UUID of a namespace.');

const byReference = z
  .strictObject({
    store,
    table: tableName.meta({ description: 'A table whose rows belong to rows of another one.', examples: ['payments'] }),
    via: tableName.meta({ description: 'The table they belong to; listed further up.', examples: ['reservations'] }),
    column: text('a column’s name')
      .meta({ description: 'The referencing column, where the foreign key does not tell.', examples: ['reservation_id'] })
      .exactOptional(),
  })
  .describe('Rows by way of another table’s.');

const flush = z
  .strictObject({
    store,
    flush: z
      .union([z.literal(true), z.literal('true').transform(() => true as const), z.literal('everything')], {
        error: 'expected `true` or `everything`',
      })
      .meta({
        description: 'Empty the store’s `testDatabase`. `everything`: also where keys in it fit none of the profile’s patterns.',
        examples: [true],
      }),
  })
  .describe('The whole test database.');

const keys = z
  .strictObject({
    store,
    keys: text('a pattern such as `user:load-test-user-*`')
      .refine((value) => (value.split(/[*?[\\]/)[0] ?? '').length >= 8, {
        error: 'expected a pattern that begins with at least 8 plain characters such as `user:load-test-user-*`',
      })
      .meta({ description: 'Keys that fit this pattern.', examples: ['user:load-test-user-*'] }),
  })
  .describe('Keys by pattern.');

const members = z
  .strictObject({
    store,
    key: text('a key such as `queue:waiting`')
      .refine((value) => !/^[*?[\\]/.test(value), {
        error: 'expected a key or a pattern that does not begin with a wildcard, such as `queue:*`',
      })
      .meta({ description: 'The list, set, sorted set or hash; or a pattern of several.', examples: ['queue:waiting'] }),
    members: text('a pattern such as `load-test-user-*`')
      .refine((value) => value.split(/\\.|\[(?:\\.|[^\]])*\]?|[*?]/).some((plain) => plain.length >= 8), {
        error: 'expected a pattern with at least 8 plain characters in a row such as `load-test-user-*`',
      })
      .meta({
        description: 'The members that fit this pattern: elements of a list or set, fields of a hash.',
        examples: ['load-test-user-*'],
      }),
  })
  .describe('Members of lists, sets, sorted sets and hashes.');

/** What is taken out after the test. */
export const cleanup = z
  .strictObject({
    prefix: text('a prefix such as `load-test-user-`')
      .prefault('load-test-user-')
      .superRefine((value, context) => {
        const problem = prefixProblem(value);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .meta({ description: 'What the ids of everything that the test writes begin with.', examples: ['load-test-user-'] }),
    rows: z
      .array(z.union([byColumn, byRange, byUuid, byReference]))
      .prefault([])
      .meta({ description: 'The tables that hold test data.', examples: [[{ store: 'db', table: 'reservations', column: 'user_id' }]] }),
    caches: z
      .array(z.union([keys, members, flush]))
      .prefault([])
      .meta({ description: 'The caches that hold test data.', examples: [[{ store: 'cache', flush: true }]] }),
    pause: duration()
      .meta({ description: 'How long the cleanup rests after each transaction, so that others come through.', examples: ['50ms'] })
      .exactOptional(),
    settle: duration()
      .meta({ description: 'How long nothing new may turn up before the count is believed.', examples: ['5s'] })
      .exactOptional(),
  })
  .describe('What is taken out after the test.');
