import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readScriptFiles } from '../../src/k6/script-files.js';
import { load, planHere } from './profile-files.js';

/** A folder with these files. */
function folderWith(files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-script-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

test('a script is made of what it imports and opens by name, wherever that lies', () => {
  const big = Buffer.alloc(2_500_000, 7);
  const folder = folderWith({
    'k6/main.ts': `import http from 'k6/http';
import { a } from './lib/a.ts';
import "../shared/side-effect.js";
export * from './lib/all.js';
const lazy = () => import('./lib/lazy.js');
const users = JSON.parse(open('./data/users.json'));
const picture = open( "data/picture.png", 'b');
import jslib from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';
const nothing = open('./nowhere.json');
const folder = open('./lib');`,
    'k6/lib/a.ts':
      "import {\n  b,\n} from './b.js';\nconst again = require('../main.ts');\nconst c = open('./beside-a.csv');\nconst d = open('./data/users.json');",
    'k6/lib/b.js': 'export const b = 1;',
    'k6/lib/all.js': '',
    'k6/lib/lazy.js': '',
    'k6/lib/beside-a.csv': 'x',
    'k6/data/users.json': `["from './not-code.js'"]`,
    'k6/data/picture.png': big,
    'k6/not-code.js': 'nobody imports it',
    'shared/side-effect.js': '',
  });
  const found = readScriptFiles(join(folder, 'k6', 'main.ts'));
  expect(found.map(({ file }) => file)).toEqual([
    'main.ts',
    'lib/a.ts',
    'lib/b.js',
    'lib/beside-a.csv',
    'data/users.json',
    '../shared/side-effect.js',
    'lib/all.js',
    'lib/lazy.js',
    'data/picture.png',
  ]);
  expect(found.at(-1)?.sha256).toBe(sha256(big));
});

test('what is not a file, and names that are none, are nobody’s business', () => {
  const folder = folderWith({
    'main.js': "open('\u0000'); open('%'); import 'file://host/x'; import 'file:///%'; import './main.js/x'; open('.')",
  });
  expect(readScriptFiles(join(folder, 'main.js')).map(({ file }) => file)).toEqual(['main.js']);
  expect(readScriptFiles(join(folder, 'nothing.js'))).toEqual([]);
});

test('a file by its URL is one, too', () => {
  const folder = folderWith({ 'a b.js': 'x' });
  writeFileSync(join(folder, 'main.js'), `import '${pathToFileURL(join(folder, 'a b.js')).href}';`);
  expect(readScriptFiles(join(folder, 'main.js')).map(({ file }) => file)).toEqual(['main.js', 'a b.js']);
});

test('one that cannot be read is left to k6 to complain of', () => {
  const folder = folderWith({ 'main.js': "import './folder.js';", 'folder.js/other.js': 'x' });
  expect(readScriptFiles(join(folder, 'main.js')).map(({ file }) => file)).toEqual(['main.js']);
});

test('the hash of a plan is another one for another file, and for other variables; secrets are not in it', () => {
  const hashOf = (profile: string, { env = {}, content = 'a', scriptEnv = [] as string[] } = {}) => {
    const loaded = load({ 'test.yaml': `target: {url: http://localhost}\nworkload: {script: k6.ts${profile}}\n` }, { env, scriptEnv });
    return planHere(loaded, [{ file: 'k6.ts', sha256: sha256(content) }]).hash;
  };
  const variables = ', env: {FEATURE: "${FEATURE}", API_TOKEN: "${API_TOKEN}", PLAIN: x}';
  const env = { FEATURE: 'on', API_TOKEN: 'one' };
  const hash = hashOf(variables, { env });
  expect(hashOf(variables, { env })).toBe(hash);
  expect(hashOf(variables, { env: { ...env, API_TOKEN: 'two' } })).toBe(hash);
  const others = [
    hashOf(variables, { env, content: 'b' }),
    hashOf(variables, { env: { ...env, FEATURE: 'off' } }),
    hashOf(variables.replace('PLAIN: x', 'PLAIN: y'), { env }),
    hashOf(variables, { env, scriptEnv: ['MORE=1'] }),
    hashOf(variables, { env, scriptEnv: ['MORE=2'] }),
    hashOf(variables, { env, scriptEnv: ['API_TOKEN=typed'] }),
    hashOf(''),
  ];
  expect(new Set([hash, ...others]).size).toBe(others.length + 1);
});
