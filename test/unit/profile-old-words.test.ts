import { expect, test } from 'vitest';
import { complaint, least, load } from './profile-files.js';

const db = 'stores: {db: {kind: postgres, url: postgres://h/d}, cache: {kind: redis, url: redis://h:1/0}}\n';

function messages(text: string): string[] {
  const error = complaint(() => load({ 'test.yaml': text }));
  expect(error.reason).toBe('invalid-profile');
  return error.lines.map((line) => line.replace('profiles/test.yaml:', '')).filter((line) => /^\d/.test(line));
}

test.each([
  [
    'a list of rows to seed',
    `${db}seed: [{store: db, table: users, rows: 1, columns: {id: 1}}]\n`,
    ['5:1: `seed` is a map of named sets: write `users: {table: db.users, …}` in place of each item of the list'],
  ],
  [
    'a list of entries to seed',
    `${db}seed: [{store: cache, key: "user:{n}", rows: 1, value: x}]\n`,
    ['5:1: `seed` is a map of named sets: write `logins: {key: "cache/user:{n}", …}` in place of each item of the list'],
  ],
  [
    'a store and a schema beside a table',
    `${db}seed: {t: {store: db, schema: app, table: users, rows: 1, columns: {id: 1}}}\n`,
    ['5:12: `store` is part of the name: write `table: db.app.users`'],
  ],
  [
    'a store beside a key',
    `${db}seed: {t: {store: cache, key: "user:{n}", rows: 1, value: x}}\n`,
    ['5:12: `store` is part of the name: write `key: "cache/user:{n}"`'],
  ],
  [
    '{ref:…}',
    `${db}seed: {t: {table: db.t, rows: 1, columns: {id: "{ref:users.id}"}}}\n`,
    ['5:48: `{ref:users.id}` is written `{users.id}`: the name of a set and its column'],
  ],
  [
    '{uuid:…}',
    `${db}seed: {t: {table: db.t, rows: 1, columns: {id: "{uuid:load-test}"}}}\n`,
    ['5:48: `{uuid:load-test}` is written `{uuid}`; cleanup finds it again by `in: SET.COLUMN`'],
  ],
  [
    'a pool by its number',
    'users: {strategy: pool, count: 1000, id: "user-{n}"}\n',
    ['4:25: `count` is the set’s to say: write `from: users.id`, a column of a set under `seed`'],
  ],
  [
    'a number of users beside bypass',
    'users: {strategy: bypass, key: k, count: 3}\n',
    ['4:35: remove `count`: a seeded set has as many users as its `rows`'],
  ],
  [
    'a store beside tables',
    `${db}cleanup: {rows: [{store: db, table: r, column: c}, {store: db, table: p, via: r}]}\n`,
    [
      '5:19: `store` is part of the table’s name: write `table: db.r`',
      '5:53: `store` is part of the table’s name: write `table: db.p`, `via: db.r`',
    ],
  ],
  [
    'a range',
    `${db}cleanup: {rows: [{store: db, table: t, column: id, range: 900000000..999999999}]}\n`,
    ['5:52: numbers are found by the set that seeds them: `in: SET.COLUMN`, with `{n+900000000}` in that column'],
  ],
  [
    'caches',
    `${db}cleanup: {caches: [{store: cache, flush: true}, {store: cache, keys: "a:*"}, {store: cache, key: q, members: "m*"}, {store: cache, flush: everything}]}\n`,
    [
      '5:11: `caches` is called `keys`: `keys: [{flush: cache}, {match: "cache/a:*"}, {key: "cache/q", members: "m*"}, {flush: cache, everything: true}]`',
    ],
  ],
  [
    'a store beside a pattern',
    `${db}cleanup: {keys: [{store: cache, match: "user:load-test-user-*"}]}\n`,
    ['5:19: `store` is part of the key: write `match: "cache/user:load-test-user-*"`'],
  ],
])('%s is answered with the words of today, at its place', (_, text, expected) => {
  expect(messages(least + text)).toEqual(expected);
});

test('a table to look up is a set', () => {
  const text = `${least.replace(/target:.*\n/, '')}target: {url: "http://127.0.0.1:1", lookup: {path: /u, table: users}}\n`;
  expect(messages(text)).toEqual(['3:56: `table` is called `set`: the name of a set under `seed`']);
});

test('what is wrong elsewhere is told beside it', () => {
  const text = `${least}${db}cleanup: {caches: [{store: cache, flush: true}]}\nrunners: {count: 0}\n`;
  expect(messages(text)).toEqual([
    '5:11: `caches` is called `keys`: `keys: [{flush: cache}]`',
    '6:18: expected a whole number of at least 1 such as `1000`, not `0`',
  ]);
});
