import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** From the words that everyone uses up to the shell around it all; folders of one rank know nothing of each other. */
const ranks = [
  ['core'],
  ['metrics'],
  ['profile'],
  ['plan'],
  ['k6'],
  ['runners', 'stores', 'monitors', 'outputs', 'reporters'],
  ['phases'],
  ['commands'],
  ['cli.ts', 'world.ts'],
];

const everyImport = /(?:\bfrom |\bimport\(|\bimport )'(\.{1,2}\/[^']+)'/g;
const part = (file: string) => relative(src, file).split(sep)[0] ?? '';
const rank = (name: string) => ranks.findIndex((names) => names.includes(name));

function importsOf(file: string): { readonly from: string; readonly to: string }[] {
  const found = readFileSync(file, 'utf8').matchAll(everyImport);
  return [...found].map((match) => ({ from: file, to: join(dirname(file), match[1] ?? '') }));
}

test('everything in src has a rank', () => {
  expect(readdirSync(src).filter((name) => rank(name) === -1)).toEqual([]);
});

test('imports point to lower ranks only', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const imports = files.flatMap((name) => importsOf(join(src, name)));
  const isShell = (name: string) => rank(name) === ranks.length - 1;
  const allowed = (from: string, to: string) => from === to || rank(to) < rank(from) || (isShell(from) && isShell(to));
  const upward = imports.filter(({ from, to }) => !allowed(part(from), part(to).replace(/\.js$/, '.ts')));
  expect(upward.map(({ from, to }) => `${relative(src, from)} imports ${relative(src, to)}`)).toEqual([]);
  expect(imports.length).toBeGreaterThan(100);
});
