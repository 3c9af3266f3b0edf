import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withDefaults } from '../../src/profile/defaults.js';

interface Schema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** zod's own account of the sections, as editors read it: what it says of defaults holds for what a run is told. */
const { properties = {} } = JSON.parse(readFileSync('schema/profile.schema.json', 'utf8')) as Schema;
const maps = Object.entries(properties).filter(([, section]) => section.properties !== undefined);

test.each(maps)('%s has the defaults that its schema tells', (name, section) => {
  const words = Object.entries(section.properties ?? {}).filter(([, word]) => word.default !== undefined);
  const filled = withDefaults({ [name]: {} }) as Record<string, Record<string, unknown>>;
  expect(filled[name]).toMatchObject(Object.fromEntries(words.map(([word, { default: standard }]) => [word, standard])));
});

test('what is given stays, and what no schema knows comes last', () => {
  const given = { 'x-own': { a: 1 }, runners: { count: 3, backend: 'local' }, target: { url: 'http://127.0.0.1' } };
  const filled = withDefaults(given) as Record<string, Record<string, unknown>>;
  expect(filled).toMatchObject(given);
  expect(Object.keys(filled).at(-1)).toBe('x-own');
});

test('of alternatives the one that the constants tell is filled in', () => {
  const outputs = {
    a: { kind: 'influxdb', url: 'http://influx:8086', database: 'k6' },
    b: { kind: 'prometheus', url: 'http://prom:9090/api/v1/write' },
  };
  expect(withDefaults({ outputs })).toMatchObject({ outputs });
  const guarded = withDefaults({ runners: { backend: 'kubernetes', kubernetes: { image: 'i' } } }) as { runners: { kubernetes: object } };
  expect(guarded.runners.kubernetes).toMatchObject({ image: 'i', keepFor: '24h' });
});
