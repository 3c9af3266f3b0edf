import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { workplace } from '../support/loadctl.js';

const entries = (folder: string) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.split('/')[0] !== 'tmp')
    .sort();

const cannotBeWritten = {
  code: 115,
  stdout: '',
  stderr: expect.stringMatching(/cannot be written: .*Nothing was written\.\nhint: Something else/),
};

test.each(['profiles', 'k6', '.github'])('a file in the place of the folder %s: nothing is written', async (name) => {
  const at = workplace({ [name]: 'mine' });
  expect(await at.loadctl(['init', '--yes'])).toMatchObject(cannotBeWritten);
  expect(entries(at.folder)).toEqual([name]);
});

test.each(['.env.example', '.gitignore'])('a folder in the place of %s: nothing is written', async (name) => {
  const at = workplace();
  mkdirSync(join(at.folder, name));
  expect(await at.loadctl(['init', '--yes'])).toMatchObject(cannotBeWritten);
  expect(entries(at.folder)).toEqual([name]);
});

test('what --force would overwrite stays where another file cannot be written', async () => {
  const files = { 'profiles/dev.yaml': 'mine', '.gitignore': 'mine', '.github': 'mine' };
  const at = workplace(files);
  expect(await at.loadctl(['init', '--yes', '--force'])).toMatchObject({ code: 115 });
  expect(entries(at.folder)).toEqual(['.github', '.gitignore', 'profiles', 'profiles/dev.yaml']);
  for (const name of Object.keys(files)) expect(at.read(name), name).toBe('mine');
});

test.each([
  ['http://127.0.0.1:1/}a${HOME}', 'http://127.0.0.1:1/%7Da$%7BHOME%7D'],
  ['http://127.0.0.1:1/shop/', 'http://127.0.0.1:1/shop'],
  ['http://127.0.0.1:1/shop?next=/', 'http://127.0.0.1:1/shop?next=/'],
])('a URL is written as it was meant: %s', async (url, written) => {
  const at = workplace();
  expect(await at.loadctl(['init', '--yes', '--url', url])).toMatchObject({ code: 0 });
  expect(parse(at.read('profiles/dev.yaml')).target.url).toBe(`\${BASE_URL:-${written}}`);
  const planned = await at.loadctl(['plan', '--env', 'dev', '--json']);
  expect(JSON.parse(planned.stdout).target.url).toBe(written);
});

test.each([
  [['--script', '.'], '--script . is not a file'],
  [['--db', 'postgres://ann@127.0.0.1/100%'], 'holds a % that begins no escape'],
])('what cannot be read is wrong usage, and nothing is written: %j', async (args, message) => {
  const at = workplace();
  expect(await at.loadctl(['init', '--yes', ...args])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  expect(entries(at.folder)).toEqual([]);
});

test('what BASE_URL holds here is nothing to the files', async () => {
  const at = workplace({ '.env': 'BASE_URL=/' });
  expect(await at.loadctl(['init', '--yes'], { BASE_URL: '/' })).toMatchObject({ code: 0, stderr: '' });
});

test('below the root of a repository it says where GitHub looks for workflows', () => {
  const { folder } = workplace({ '.git/HEAD': 'ref: refs/heads/main', 'services/api/README.md': '' });
  const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
  const init = (cwd: string, ...more: string[]) =>
    spawnSync(process.execPath, [bin, 'init', '--yes', '--force', ...more], { cwd, encoding: 'utf8' });
  const below = join(folder, 'services', 'api');
  expect(init(below)).toMatchObject({
    stderr: '',
    stdout: expect.stringContaining('move .github/workflows/load-test.yml there, with `working-directory: services/api` for its steps.'),
  });
  expect(init(below, '--no-ci').stdout).not.toContain('working-directory');
  expect(init(folder).stdout).not.toContain('working-directory');
});
