import { z } from 'zod';
import { readJsonPath } from '../../core/json-path.js';
import { patternProblem, plainProblem } from '../words/template.js';
import { duration, flag, setColumn, storeKey, tableName, text, viaName } from '../words/words.js';

const wildcard = /[%_*?[\]\\]/;

/** Whether a prefix is long and plain enough to delete by: 8 characters or more, none of them a wildcard. */
function prefixProblem(prefix: string): string | undefined {
  if (plainProblem(prefix) !== undefined) return plainProblem(prefix);
  if (wildcard.test(prefix)) return 'expected a prefix without wildcards (`%`, `_`, `*`, `?`, `[`, `]` and `\\` are some)';
  return prefix.length < 8 ? 'expected a prefix of at least 8 characters such as `load-test-user-`' : undefined;
}

const table = (example: string) => tableName().meta({ description: 'The store and a table that holds test data.', examples: [example] });
const column = () =>
  text('a column’s name').superRefine((value, context) => {
    if (/^\{.*\}$/s.test(value))
      context.addIssue({
        code: 'custom',
        message: `a column’s name takes no template; did you mean \`in: ${value.slice(1, -1)}\`?`,
      });
  });

const byColumn = z
  .strictObject({
    table: table('db.reservations'),
    column: column().meta({ description: 'The column whose value begins with the prefix.', examples: ['user_id'] }),
  })
  .describe('Rows by their own column: its value begins with the prefix.');

const bySet = z
  .strictObject({
    table: table('db.carts'),
    column: column().meta({ description: 'The column that holds what a column of a set holds.', examples: ['customer_id'] }),
    in: setColumn().meta({
      description: 'A column of a seeded set: rows that hold one of its values, whoever wrote them.',
      examples: ['users.id'],
    }),
  })
  .describe('Rows of a seeded set, whoever wrote them.');

const byUuid = z
  .strictObject({
    table: table('db.orders'),
    column: column().meta({ description: 'The column of UUIDs.', examples: ['customer_id'] }),
    uuid: text('the name of a namespace').meta({
      description: 'The namespace of UUIDs that the script makes itself: `LOADCTL_UUID_PREFIXES`.',
      examples: ['load-test'],
    }),
  })
  .describe('Rows by a UUID that the script makes.');

const byReference = z
  .strictObject({
    table: table('db.payments'),
    via: viaName().meta({ description: 'What they belong to: a table listed further up, or a seeded set.', examples: ['db.reservations'] }),
    column: column()
      .meta({ description: 'The referencing column, where no foreign key names it.', examples: ['reservation_id'] })
      .exactOptional(),
  })
  .describe('Rows that reference another table’s.');

const rows = z.union([byColumn, bySet, byUuid, byReference]).transform(({ table: name, ...entry }) => ({ ...name, ...entry }));

const everything = (what: string) =>
  flag()
    .meta({ description: `Accept that ${what}.`, examples: [true] })
    .exactOptional();

const flush = z
  .strictObject({
    flush: text('the name of a store').meta({
      description: 'The store whose `testDatabase` is emptied of the keys that this profile makes.',
      examples: ['cache'],
    }),
    everything: everything('keys of others go as well: FLUSHDB empties the index'),
  })
  .describe('The whole test database.');

const pattern = (value: string, context: z.core.$RefinementCtx) => {
  const problem = patternProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
};

const jsonField = z
  .string({ error: 'expected a field such as `customer`, or `$.user.id`' })
  .transform((value, context) => {
    const path = value.startsWith('$') ? readJsonPath(value) : value === '' ? undefined : [value];
    if (path !== undefined) return path;
    context.addIssue({ code: 'custom', message: 'expected a field such as `customer`, or `$.user.id`' });
    return z.NEVER;
  })
  .meta({ description: 'A field of the JSON text that is stored: `customer`, `$.user.id`.', examples: ['customer'] });

const match = z
  .strictObject({
    match: storeKey('cache/user:load-test-user-*')
      .superRefine(({ key }, context) => pattern(key, context))
      .meta({
        description: 'The store and a pattern: `store/pattern`. It holds the prefix, a column of a set, or `everything: true` beside it.',
        examples: ['cache/user:load-test-user-*'],
      }),
    where: z
      .strictObject({
        json: jsonField,
        in: setColumn().meta({ description: 'The column of a set that the field’s value is one of.', examples: ['users.id'] }),
      })
      .describe('Only where a field of what is stored is of a seeded set.')
      .exactOptional(),
    everything: everything('the pattern fits keys of others'),
  })
  .describe('Keys by pattern.');

const members = z
  .strictObject({
    key: storeKey('cache/queue:waiting')
      .superRefine(({ key }, context) => {
        const problem =
          plainProblem(key) ??
          (/^[*?[\\]/.test(key) ? 'expected a key or a pattern that does not begin with a wildcard, such as `queue:*`' : undefined);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .meta({
        description: 'The store and the list, set, sorted set or hash; or a pattern of several.',
        examples: ['cache/queue:waiting'],
      }),
    members: text('a pattern such as `load-test-user-*`')
      .superRefine(pattern)
      .meta({
        description:
          'The members that fit this pattern: elements of a list or set, fields of a hash. It holds the prefix or a column of a set.',
        examples: ['load-test-user-*'],
      }),
    everything: everything('the pattern fits members of others'),
  })
  .describe('Members of lists, sets, sorted sets and hashes.');

const keys = z.union([
  match.transform(({ match: { store, key }, ...entry }) => ({ store, match: key, ...entry })),
  members.transform(({ key: { store, key }, ...entry }) => ({ store, key, ...entry })),
  flush.transform(({ flush: store, everything: all }) => ({
    store,
    flush: true as const,
    ...(all === undefined ? {} : { everything: all }),
  })),
]);

/** What is removed after the test. */
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
      .array(rows)
      .prefault([])
      .meta({ description: 'The tables that hold test data.', examples: [[{ table: 'db.reservations', column: 'user_id' }]] }),
    keys: z
      .array(keys)
      .prefault([])
      .meta({ description: 'The caches that hold test data.', examples: [[{ flush: 'cache' }]] }),
    pause: duration()
      .meta({
        description: 'How long a seed and a cleanup pause after each transaction, so that other clients get through.',
        examples: ['50ms'],
      })
      .exactOptional(),
    wait: duration()
      .meta({ description: 'How long transactions that are still at work on a listed table are waited for.', examples: ['30s'] })
      .exactOptional(),
    settle: duration()
      .meta({ description: 'How long no new row may appear before the count is final.', examples: ['5s'] })
      .exactOptional(),
  })
  .describe('What is removed after the test.');
