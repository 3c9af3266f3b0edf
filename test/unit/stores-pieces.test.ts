import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expandTemplate } from '../../src/profile/template.js';
import { jsonPieces, readPieces, render } from '../../src/stores/pieces.js';
import { copyField, valuePieces } from '../../src/stores/postgres/values.js';

const template = fc
  .array(fc.oneof(fc.constantFrom('{n}', '{{', '}}', '{', '}', 'n'), fc.string({ unit: 'binary' })), { maxLength: 6 })
  .map((parts) => parts.join(''));

test('a template means the same as in the profile, read once or for every row', () => {
  fc.assert(fc.property(template, fc.nat(), (text, n) => render(readPieces(text), n) === expandTemplate(text, n)));
});

test.each([
  ['user-{n}', ['user-', '']],
  ['{n}', ['', '']],
  ['', ['']],
  ['{n}{n}-{{n}}', ['', '', '-{n}']],
])('%s is read as %j', (text, pieces) => {
  expect(readPieces(text)).toEqual(pieces);
});

test('any JSON value comes back as it is, with its templates filled', () => {
  const escaped = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, item) => (typeof item === 'string' ? item.replaceAll('{', '{{').replaceAll('}', '}}') : item));
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.nat(), (value, n) => {
      expect(JSON.parse(render(jsonPieces(escaped(value) as never), n))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(render(jsonPieces({ id: 'user-{n}', tags: ['{n}', 1, null, true] }), 7)).toBe('{"id":"user-7","tags":["7",1,null,true]}');
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
  const pieces = valuePieces(written as never, { name: 'c', shape });
  expect(pieces && render(pieces, 5)).toBe(text);
});

test('NULL is NULL in every shape, and COPY keeps every character', () => {
  for (const shape of ['text', 'json', 'array', 'json-array'] as const) expect(valuePieces(null, { name: 'c', shape })).toBeNull();
  expect(copyField(null)).toBe('\\N');
  expect(copyField('a\tb\nc\rd\\N"\u2028')).toBe('a\\tb\\nc\\rd\\\\N"\u2028');
});
