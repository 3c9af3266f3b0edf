import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Inverse, inverseOf, rowOf } from '../../src/profile/templates/inverse.js';
import { pieceReader, type RowSource, render } from '../../src/profile/templates/pieces.js';
import { rowOfSql } from '../../src/stores/postgres/rows/inverse-sql.js';
import { piecesSql } from '../../src/stores/postgres/rows/made-rows.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { testDatabase } from '../servers/sql.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const people: Record<string, string> = { id: 'user-{n}', uid: '{uuid}', town: '{pick:a|bb}' };

/** What a template stands in; `random` is the set's own. */
function source(random: string): RowSource {
  return {
    random,
    startedAt: '2026-11-26T10:00:00.000Z',
    refer: (_, column) => ({ value: people[column] ?? null, rows: 50, source: source(random) }),
  };
}

const plain = fc.constantFrom('user-', 'é', '💥', '@test.com', '-', '_', '.', 'A', '00', '7', 'u{{', "it's", '\\', '\n', ' ');
const carrier = fc.constantFrom('{n}', '{n+900000000}', '{n-1000}', '{uuid}', '{people.id}', '{people.uid}');
const other = fc.constantFrom('{pick:aa|bb}', '{pick:a|bcd}', '{int:10..99}', '{int:1..100}', '{people.town}');
const template = fc
  .array(fc.oneof({ weight: 3, arbitrary: plain }, { weight: 2, arbitrary: carrier }, { weight: 1, arbitrary: other }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(''));

/** Texts that are nearly those of a row. */
function lookAlikes(text: string, n: number): string[] {
  const arabic = text.replace(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit)));
  const wide = text.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
  const digits = /\d+/g;
  return [
    arabic,
    wide,
    text.toUpperCase(),
    text.toLowerCase(),
    text.normalize('NFD'),
    `${text} `,
    ` ${text}`,
    `${text}\n`,
    text.slice(1),
    text.slice(0, -1),
    text.replace(digits, (found) => `0${found}`),
    text.replace(digits, (found) => `${found}0`),
    text.replace(digits, (found) => `+${found}`),
    text.replace(digits, (found) => String(BigInt(found) + 1n)),
    text.replace(digits, (found) => `${found}${'9'.repeat(25)}`),
    text.replaceAll('-', ''),
    text.replaceAll(String(n), String(n + 1)),
    '550e8400-e29b-41d4-a716-446655440000',
    '',
    '-',
    '9'.repeat(40),
  ];
}

test('a number is read back from every text of a row, in JavaScript as in SQL, and from no other one', async () => {
  const { sql } = await testDatabase(server);
  const seen = { readable: 0, unreadable: 0, texts: 0, rows: 0 };
  const holds = async (written: string, rows: number, n: number, random: string) => {
    const pieces = pieceReader(source(random)).text(written, 'field');
    const inverse = inverseOf(pieces, rows);
    if (inverse === undefined) {
      seen.unreadable += 1;
      return;
    }
    seen.readable += 1;
    const all = new Map(Array.from({ length: rows }, (_, index) => [render(pieces, index + 1), index + 1]));
    const neighbours = [n, n - 1, n + 1, rows, rows + 1, 0].map((each) => render(pieces, each));
    const foreign = render(pieceReader(source(`${random}other`)).text(written, 'field'), n);
    const texts = [...new Set([...neighbours, foreign, ...lookAlikes(render(pieces, n), n)])];
    const wanted = texts.map((text) => all.get(text));
    expect(texts.map((text) => rowOf(inverse, text))).toEqual(wanted);
    expect(await inSql(sql, inverse, texts)).toEqual(wanted);
    seen.texts += texts.length;
    seen.rows += wanted.filter((row) => row !== undefined).length;
  };
  await fc.assert(
    fc.asyncProperty(
      template,
      fc.integer({ min: 1, max: 120 }),
      fc.nat({ max: 119 }),
      fc.constantFrom('', '42', "o'neill"),
      (written, rows, at, random) => holds(written, rows, 1 + (at % rows), random),
    ),
    { numRuns: 400, seed: 20_261_128 },
  );
  console.log(
    `inverse: ${seen.readable} templates read back (${seen.unreadable} cannot be), ${seen.texts} texts, ${seen.rows} of them rows`,
  );
  expect(Math.min(seen.readable, seen.unreadable, seen.rows)).toBeGreaterThan(50);
});

async function inSql(
  sql: (text: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>,
  inverse: Inverse,
  texts: readonly string[],
) {
  const found = await sql(`SELECT ${rowOfSql(inverse, 't.x')} AS n FROM unnest($1::text[]) WITH ORDINALITY AS t(x, i) ORDER BY i`, [texts]);
  return found.map(({ n }) => (n === null ? undefined : Number(n)));
}

test('large sets are read back as exactly: the first and last rows of a billion', async () => {
  const { sql } = await testDatabase(server);
  for (const written of ['user-{n}', '{n+900000000}', '{uuid}', 'a{uuid}b']) {
    const pieces = pieceReader(source('')).text(written, 'id');
    const inverse = inverseOf(pieces, 1_000_000_000);
    if (inverse === undefined) throw new Error(`${written} is read back`);
    const numbers = [0, 1, 2, 999_999_999, 1_000_000_000, 1_000_000_001];
    const wanted = numbers.map((n) => (n >= 1 && n <= 1_000_000_000 ? n : undefined));
    expect(numbers.map((n) => rowOf(inverse, render(pieces, n)))).toEqual(wanted);
    expect(
      await inSql(
        sql,
        inverse,
        numbers.map((n) => render(pieces, n)),
      ),
    ).toEqual(wanted);
    const made = await sql(`SELECT ${piecesSql(pieces, 'n')} AS text FROM unnest($1::bigint[]) AS n`, [numbers]);
    expect(made.map(({ text }) => text)).toEqual(numbers.map((n) => render(pieces, n)));
  }
});
