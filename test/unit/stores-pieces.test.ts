import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SeedValue } from '../../src/profile/sections/schema.js';
import {
  flatten,
  isVolatile,
  type PieceReader,
  patternAt,
  pieceReader,
  type RowSource,
  render,
} from '../../src/profile/templates/pieces.js';
import { templateOf } from '../../src/profile/templates/shown.js';
import { templateProblem } from '../../src/profile/words/template.js';
import { valuePieces } from '../../src/stores/postgres/rows/values.js';

const users: Record<string, SeedValue> = { id: 'user-{n}', tier: '{pick:gold|silver}', born: '{now}', uid: '{uuid}', level: 7 };
const source: RowSource = {
  random: '',
  startedAt: '2026-11-26T10:00:00.000Z',
  refer: (_, column) => ({ value: users[column] ?? null, rows: 3, source }),
};
const reader = (more: Partial<RowSource> = {}): PieceReader => pieceReader({ ...source, ...more });
const filled = (template: string, n: number, field = 'field', of = reader()) => render(of.text(template, field), n);

test.each([
  ['user-{n}', 'user-7'],
  ['{n}', '7'],
  ['', ''],
  ['{n}{n}-{{n}}', '77-{n}'],
  ['}a{{b}}', '}a{b}'],
  ['at {now}', 'at 2026-11-26T10:00:00.000Z'],
  ['{int:5..5}', '5'],
  ['{pick:one}', 'one'],
  ['{users.id}', 'user-1'],
  ['{users.level}', '7'],
  ['{users.id}/{n+10}/{n-10}', 'user-1/17/-3'],
])('%s is %s in row 7', (template, text) => {
  expect(filled(template, 7)).toBe(text);
});

test('a reference goes round and round the rows that it means', () => {
  expect([1, 2, 3, 4, 5, 6, 7].map((n) => filled('{users.id}', n))).toEqual([
    'user-1',
    'user-2',
    'user-3',
    'user-1',
    'user-2',
    'user-3',
    'user-1',
  ]);
  expect(filled('{users.tier}', 5)).toBe(filled('{pick:gold|silver}', 2, 'tier'));
  expect(filled('{users.uid}', 5)).toBe(filled('{uuid}', 2));
});

test('a UUID is the same wherever it stands in a row, and another one in each row', () => {
  const uuids = Array.from({ length: 500 }, (_, n) => filled('{uuid}', n));
  expect(new Set(uuids).size).toBe(500);
  for (const uuid of uuids) expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(filled('{uuid}', 3, 'one')).toBe(filled('{uuid}', 3, 'other'));
  expect(filled('{uuid}', 3, 'id', reader({ random: 'again' }))).not.toBe(filled('{uuid}', 3, 'id'));
});

test('choices are the same every time, spread, and independent of one another', () => {
  const rows = Array.from({ length: 3000 }, (_, n) => n + 1);
  const picks = rows.map((n) => filled('{pick:a|b|c}', n, 'tier'));
  expect(picks).toEqual(rows.map((n) => filled('{pick:a|b|c}', n, 'tier')));
  for (const option of ['a', 'b', 'c']) {
    const share = picks.filter((pick) => pick === option).length / rows.length;
    expect(Math.abs(share - 1 / 3)).toBeLessThan(0.05);
  }
  expect(picks).not.toEqual(rows.map((n) => filled('{pick:a|b|c}', n, 'other')));
  const numbers = rows.map((n) => Number(filled('{int:-2..2}', n)));
  expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  const two = reader().text('{int:1..1000000}-{int:1..1000000}', 'field');
  expect(rows.some((n) => new Set(render(two, n).split('-')).size === 1)).toBe(false);
});

test('fields of one name in different steps choose the same', () => {
  const row = reader().text('{pick:gold|silver|bronze}', 'tier');
  const entry = reader().json({ tier: '{pick:gold|silver|bronze}' }, 'value');
  for (let n = 1; n <= 50; n++) expect(render(entry, n)).toBe(JSON.stringify({ tier: render(row, n) }));
});

test('what is made fits the pattern of its row, whatever the day, and that of no other row', () => {
  const template = '{n}:{uuid}:{now}:{pick:a.b|c*}:{int:-5..5}:{users.id}:{users.born}:(x)';
  const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  const pieces = reader().text(template, 'f');
  const later = reader({ startedAt: '2027-01-01T00:00:00.000Z' }).text(template, 'f');
  for (let n = 1; n <= 50; n++) {
    const pattern = new RegExp(`^${patternAt(pieces, n, escaped)}$`);
    expect(render(pieces, n)).toMatch(pattern);
    expect(render(later, n)).toMatch(pattern);
    expect(pattern.test(render(pieces, n + 1))).toBe(false);
  }
});

test('a template that refers to others is shown as what it comes to', () => {
  expect(templateOf(reader().text('{{x}} {users.id} {n+5}{n-5} {uuid} {pick:a|b} {int:1..2} {now}', 'f'), 3)).toBe(
    '{{x}} user-{n} {n+5}{n-5} {uuid} {pick:a|b} {int:1..2} {now}',
  );
  expect(flatten(reader().text('{users.id}', 'f'), 3)).toEqual(['user-', { kind: 'n', plus: 0 }]);
  expect(flatten(reader().text('{users.id}', 'f'), 4)).toMatchObject([{ kind: 'ref', rows: 3 }]);
});

test.each([
  ['{x}', 'unknown template `{x}`: expected `{n}`'],
  ['{N}', 'unknown template `{N}`'],
  ['{int:5..1}', 'unknown template `{int:5..1}`'],
  ['{int:1..99999999999999999999}', 'unknown template'],
  ['{pick:}', 'unknown template `{pick:}`'],
  ['{users}', 'unknown template `{users}`'],
  ['a{', 'expected `{n}`'],
])('%s is no template: %s', (template, problem) => {
  expect(templateProblem(template)).toContain(problem);
});

test('what differs from time to time', () => {
  expect(['{now}', '{users.born}', '{n}'].map((template) => isVolatile(reader().text(template, 'f')))).toEqual([true, true, false]);
});

test('any JSON value comes back as it is, with its templates filled', () => {
  const escaped = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, item) => (typeof item === 'string' ? item.replaceAll('{', '{{').replaceAll('}', '}}') : item));
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.nat(), (value, n) => {
      expect(JSON.parse(render(reader().json(escaped(value) as never, 'f'), n))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(render(reader().json({ id: 'user-{n}', tags: ['{n}', 1, null, true], q: '{pick:"|\\}' }, 'f'), 7)).toMatch(
    /^\{"id":"user-7","tags":\["7",1,null,true\],"q":"(\\"|\\\\)"\}$/,
  );
});

test.each([
  ['text', 'a{n}', 'a5'],
  ['text', 12.5, '12.5'],
  ['text', true, 'true'],
  ['text', { a: '{n}' }, '{"a":"5"}'],
  ['text', ['{n}'], '["5"]'],
  ['json', 'a"{n}', '"a\\"5"'],
  ['json', [1, null], '[1,null]'],
  ['array', ['a"b', 'c\\', null, '{n}'], '{"a\\"b","c\\\\",NULL,"5"}'],
  [
    'array',
    [
      [1, 2],
      [3, 4],
    ],
    '{{"1","2"},{"3","4"}}',
  ],
  ['array', '{1,2}', '{1,2}'],
  ['json-array', [{ a: 1 }, 'x'], '{"{\\"a\\":1}","\\"x\\""}'],
] as const)('in a %s column %j is the text %s', (shape, value, text) => {
  const written = typeof value === 'string' && value.startsWith('{1') ? '{{1,2}}' : value;
  const pieces = valuePieces(written as never, { name: 'c', shape }, reader());
  expect(pieces && render(pieces, 5)).toBe(text);
});

test('NULL is NULL in every shape', () => {
  for (const shape of ['text', 'json', 'array', 'json-array'] as const)
    expect(valuePieces(null, { name: 'c', shape }, reader())).toBeNull();
});
