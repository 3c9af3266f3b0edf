import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LoadctlError } from '../../src/core/errors.js';
import { pieceReader, render } from '../../src/profile/templates/pieces.js';
import { likePrefix, quoteName, quoteText } from '../../src/stores/postgres/catalog/quote.js';
import { translate } from '../../src/stores/postgres/connection/errors.js';
import { addressesOf } from '../../src/stores/postgres/connection/places.js';
import { type Ssl, type TlsWish, takeTls, waysIn } from '../../src/stores/postgres/connection/tls.js';
import { withoutPageHeader } from '../../src/stores/postgres/proof/replicas.js';
import { ownership } from '../../src/stores/postgres/rows/ownership.js';
import { countNumbers, eachNumber, partOf, type RowNumbers, remainder, rowsOnShard } from '../../src/stores/postgres/rows/shards.js';
import { writingOrder } from '../../src/stores/postgres/seeding/writing-order.js';

const never = () => {
  throw new Error('not asked for here');
};

test('names and texts are quoted', () => {
  expect(quoteName('we"ird; --')).toBe('"we""ird; --"');
  expect(quoteText("it's")).toBe("'it''s'");
  expect(quoteText("a\\'b")).toBe(" E'a\\\\''b'");
  expect(likePrefix('load_test%\\')).toBe(" E'load\\\\_test\\\\%\\\\\\\\%'");
});

describe('shards', () => {
  test('a key belongs to the remainder of its trailing digits, however many', () => {
    expect(remainder('user-12', 4)).toBe(0);
    expect(remainder('7up-99999999999999999999999', 4)).toBe(3);
    expect(() => remainder('user-12x', 4)).toThrow(LoadctlError);
  });

  const key = (template: string) => pieceReader({ random: '', startedAt: '', refer: never }).text(template, 'id');
  const modulo = fc.integer({ min: 1, max: 9 });
  const template = fc.constantFrom('u{n}', '{n}', 'u1{n}', 'u{n}{n}', '{uuid}7', 'u{n+901}', '{n+12}');

  test('every row belongs to exactly one of them, by its digits or by a hash', () => {
    fc.assert(
      fc.property(modulo, template, fc.constantFrom('digits', 'crc32', 'fnv1a', 'murmur3', 'md5'), (shards, text, name) => {
        const by = name === 'digits' ? { kind: name, modulo: shards } : { kind: 'hash' as const, hash: name, modulo: shards };
        const all = Array.from({ length: shards }, (_, shard) => [
          ...eachNumber(rowsOnShard({ column: 'id', by, shard, shards }, key(text), 50)),
        ]);
        expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
        if (name !== 'digits') return;
        for (const [shard, numbers] of all.entries()) for (const n of numbers) expect(remainder(render(key(text), n), shards)).toBe(shard);
      }),
    );
  });

  test('parts of the rows are all of them, in their order', () => {
    const numbers = fc.oneof(
      fc.record({ kind: fc.constant('even' as const), first: fc.integer({ min: 1, max: 5 }), step: modulo, last: fc.nat(60) }),
      fc.record({ kind: fc.constant('list' as const), list: fc.array(fc.nat(), { maxLength: 40 }) }),
    );
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 20 }), (all: RowNumbers, size) => {
        const parts: number[] = [];
        for (let from = 0; from < countNumbers(all); from += size) parts.push(...eachNumber(partOf(all, from, size)));
        expect(parts).toEqual([...eachNumber(all)]);
        expect(countNumbers(all)).toBe(parts.length);
      }),
    );
  });
});

describe('tls', () => {
  const wish = (query: string, tls?: Parameters<typeof takeTls>[1]) => takeTls(new URL(`postgres://u:p@db/x${query}`), tls);

  test('words are taken out of the URL, and the profile wins', () => {
    const url = new URL('postgres://u:p@db/x?sslmode=require&sslrootcert=/a.pem&options=-c%20x');
    expect(takeTls(url, undefined)).toEqual({ mode: 'require', ca: '/a.pem' });
    expect(url.toString()).toBe('postgres://u:p@db/x?options=-c+x');
    expect(wish('?sslmode=disable', { mode: 'verify-full', ca: '/b.pem' })).toEqual({ mode: 'verify-full', ca: '/b.pem' });
    expect(wish('')).toEqual({ mode: 'prefer' });
    expect(wish('?sslmode=verify-full&sslrootcert=system')).toEqual({ mode: 'verify-full' });
    expect(wish('?sslrootcert=system')).toEqual({ mode: 'verify-full' });
    expect(wish('?sslcert=/c.pem&sslkey=/c.key')).toEqual({ mode: 'prefer', certificate: '/c.pem', key: '/c.key' });
    expect(() => wish('?sslmode=always')).toThrow(/sslmode=always/);
  });

  const ways = async (wish: TlsWish, host: string, speaksTls: boolean) => {
    const found: Ssl[] = [];
    for await (const ssl of waysIn(wish, host, () => Promise.resolve(speaksTls))) found.push(ssl);
    return found;
  };

  test('modes mean what they mean to libpq', async () => {
    const unchecked = { rejectUnauthorized: false };
    expect(await ways({ mode: 'disable' }, 'db', true)).toEqual([false]);
    expect(await ways({ mode: 'allow' }, 'db', true)).toEqual([false, unchecked]);
    expect(await ways({ mode: 'allow' }, 'db', false)).toEqual([false]);
    expect(await ways({ mode: 'prefer' }, 'db', true)).toEqual([unchecked, false]);
    expect(await ways({ mode: 'prefer' }, 'db', false)).toEqual([false]);
    expect(await ways({ mode: 'require' }, 'db', true)).toEqual([unchecked]);
    expect(await ways({ mode: 'verify-full' }, 'db', true)).toEqual([{ servername: 'db' }]);
    expect(await ways({ mode: 'verify-full' }, '10.0.0.1', true)).toEqual([{}]);
    expect(await ways({ mode: 'verify-full' }, '/run/postgresql', false)).toEqual([false]);
    await expect(ways({ mode: 'require' }, 'db', false)).rejects.toThrow(/does not speak TLS/);
    await expect(ways({ mode: 'verify-ca' }, 'db', true)).rejects.toThrow(/authority/);
    await expect(ways({ mode: 'require', ca: '/nowhere.pem' }, 'db', true)).rejects.toThrow(/cannot be read \(ENOENT\)/);
    await expect(ways({ mode: 'require', ca: '/etc/hostname' }, 'db', true)).rejects.toThrow(/holds no certificate in PEM form/);
  });
});

test('addresses are the shards in their order, without what pg would misread', () => {
  const shards = ['postgres://a/x?application_name=me', 'postgres://b/x?sslmode=disable'];
  expect(addressesOf('db', { kind: 'postgres', shards })).toEqual([
    { store: 'db', shard: 0, url: 'postgres://a/x', tls: { mode: 'prefer' } },
    { store: 'db', shard: 1, url: 'postgres://b/x', tls: { mode: 'disable' } },
  ]);
  expect(() => addressesOf('db', { kind: 'postgres' })).toThrow(/neither url nor shards/);
});

test('an IAM role logs in as itself, and never where its token could be read', () => {
  const iam = { region: 'eu-central-1', user: 'load ctl' };
  const store = (url: string) => addressesOf('db', { kind: 'postgres', url, auth: { iam } });
  expect(store('postgres://db/x?sslmode=verify-full')).toEqual([
    { store: 'db', shard: null, url: 'postgres://load%20ctl@db/x', tls: { mode: 'verify-full' }, iam },
  ]);
  for (const mode of ['disable', 'allow', 'prefer'])
    expect(() => store(`postgres://db/x?sslmode=${mode}`), mode).toThrow(/may send it in plain text/);
});

test.each([
  ['ECONNREFUSED', /nothing listens on db:5432/],
  ['ENOTFOUND', /host db is not known/],
  ['ETIMEDOUT', /did not answer in time/],
  ['28P01', /wrong password for the role me/],
  ['28000', /may not log in/],
  ['3D000', /database shop does not exist on db:5432/],
  ['42P01', /a table is missing/],
  ['42703', /a column is missing/],
  ['42501', /lacks a permission/],
  ['53300', /no free connection/],
  ['25006', /read-only/],
])('%s is reported with its fix', (code, message) => {
  const place = { name: 'db', host: 'db', port: 5432, database: 'shop', role: 'me' };
  const error = translate(Object.assign(new Error('said'), { code }), place, false);
  expect(error).toMatchObject({ reason: 'unavailable', message: expect.stringMatching(message), hint: expect.stringMatching(/\.$/) });
});

test('what is no failure of a database stays a bug', () => {
  const bug = new TypeError('x is not a function');
  expect(translate(bug, { name: 'db', host: 'db', port: 1, database: 'x', role: 'y' }, false)).toBe(bug);
});

test.each([
  ['0/3000028', '0/3000000'],
  ['A/3002018', 'A/3002000'],
  ['0/3002028', '0/3002028'],
  ['0/3000018', '0/3000018'],
  ['0/30001B0', '0/30001B0'],
])('where nothing follows %s, all is written at %s', (lsn, end) => {
  expect(withoutPageHeader(lsn, 8192, 16_777_216)).toBe(end);
});

test('rows are written in an order in which each key of as many characters comes after the one before, the longest keys first', () => {
  const column = {
    name: 'id',
    type: 'text',
    kind: 'text',
    shape: 'text',
    isPlainText: true,
    byText: true,
    comparable: true,
    identityAlways: false,
  } as const;
  const range = fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 7 }), fc.nat(2000));
  fc.assert(
    fc.property(range, fc.nat(20_000), fc.nat(1000), ([first, step, count], plus, cutAt) => {
      const key = pieceReader({ random: '', startedAt: '', refer: never }).text(`user-{n+${plus}}`, 'id');
      const own = ownership({ rows: 100_000, columns: [column], values: [key], unique: [['id']] });
      const all: RowNumbers = { kind: 'even', first: first + 1, step, last: first + 1 + count * step };
      const parts: RowNumbers[] = [partOf(all, 0, cutAt), { kind: 'list', list: [...eachNumber(partOf(all, cutAt, count))] }];
      const written = writingOrder({ own }, parts).flatMap((part) => [...eachNumber(part)]);
      expect([...written].sort((one, other) => one - other)).toEqual(parts.flatMap((part) => [...eachNumber(part)]));
      const keys = written.map((n) => render(key, n));
      const sorted = [...keys].sort((one, other) => other.length - one.length || (one < other ? -1 : 1));
      expect(keys).toEqual(sorted);
    }),
    { numRuns: 50 },
  );
});
