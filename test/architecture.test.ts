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
  ['k6', 'kubernetes'],
  ['runners', 'stores', 'outputs', 'reporters', 'runs'],
  ['monitors', 'reports', 'door'],
  ['phases', 'page'],
  ['commands'],
  ['cli.ts', 'carry.ts', 'complete.ts', 'world.ts', 'world'],
];

interface Import {
  /** A file of src, relative to it. */
  readonly from: string;
  readonly to: string;
}

const everyImport = /(?:\bfrom |\bimport\(|\bimport )'(\.{1,2}\/[^']+)'/g;
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports = files.flatMap(importsOf);
const part = (file: string) => file.split(sep)[0] ?? '';
const rank = (name: string) => ranks.findIndex((names) => names.includes(name));

function importsOf(from: string): Import[] {
  const found = readFileSync(join(src, from), 'utf8').matchAll(everyImport);
  return [...found].map((match) => ({ from, to: relative(src, join(src, dirname(from), match[1] ?? '')).replace(/\.js$/, '.ts') }));
}

test('everything in src has a rank', () => {
  expect(readdirSync(src).filter((name) => rank(name) === -1)).toEqual([]);
});

test('imports point to lower ranks only', () => {
  const isShell = (name: string) => rank(name) === ranks.length - 1;
  const allowed = (from: string, to: string) => from === to || rank(to) < rank(from) || (isShell(from) && isShell(to));
  const upward = imports.filter(({ from, to }) => !allowed(part(from), part(to)));
  expect(upward.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  expect(imports.length).toBeGreaterThan(100);
});

/** The rooms of src/phases that carry a plan out. Those on data still read the profile. */
const ofPlans = ['run', 'target', 'watch', 'verify'].map((room) => join('phases', room, sep));

test('what carries a plan out does not read the profile again', () => {
  const reading = imports.filter(({ from, to }) => ofPlans.some((room) => from.startsWith(room)) && part(to) === 'profile');
  expect(reading.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  const uses = /\b(?:PhaseContext|LoadedProfile|Profile)\b/;
  expect(files.filter((file) => ofPlans.some((room) => file.startsWith(room)) && uses.test(readFileSync(join(src, file), 'utf8')))).toEqual(
    [],
  );
  expect(ofPlans.every((room) => files.some((file) => file.startsWith(room)))).toBe(true);
});

/** The folder of a file, cut to its first `depth` names: `phases/run`. */
const folderAt = (depth: number) => (file: string) => dirname(file).split(sep).slice(0, depth).join(sep);
const deepest = Math.max(...files.map((file) => file.split(sep).length - 1));
const everyDepth = Array.from({ length: deepest }, (_, index) => index + 1);

test.each(everyDepth)('no folders import each other in a circle, at depth %i', (depth) => {
  expect(circles(imports, folderAt(depth))).toEqual([]);
});

test('a circle of folders is found', () => {
  const tangled = [
    { from: 'a/x/one.ts', to: 'a/y/two.ts' },
    { from: 'a/y/two.ts', to: 'b/three.ts' },
    { from: 'b/three.ts', to: 'a/x/four.ts' },
  ];
  expect(circles(tangled, folderAt(2))).toEqual(['a/x', 'a/y', 'b']);
});

test('a reader of src/phases climbs seven floors at most', () => {
  const inPhases = imports.filter(({ from, to }) => part(from) === 'phases' && part(to) === 'phases');
  expect(floors(inPhases, folderAt(2))).toBeLessThanOrEqual(7);
});

/** The folders that reach themselves over the imports of others. */
function circles(all: readonly Import[], folder: (file: string) => string): string[] {
  const below = graphOf(all, folder);
  const reaches = (from: string, goal: string, seen: Set<string>): boolean =>
    [...(below.get(from) ?? [])].some((to) => to === goal || (!seen.has(to) && reaches(to, goal, seen.add(to))));
  return [...below.keys()].filter((name) => reaches(name, name, new Set())).sort();
}

/** How many folders stand on one another; only for a graph without circles. */
function floors(all: readonly Import[], folder: (file: string) => string): number {
  const below = graphOf(all, folder);
  const height = (name: string): number => 1 + Math.max(0, ...[...(below.get(name) ?? [])].map(height));
  return Math.max(...[...below.keys()].map(height));
}

function graphOf(all: readonly Import[], folder: (file: string) => string): Map<string, Set<string>> {
  const below = new Map<string, Set<string>>();
  for (const [from, to] of all.map((one) => [folder(one.from), folder(one.to)] as const))
    if (from !== to) below.set(from, (below.get(from) ?? new Set()).add(to));
  return below;
}
