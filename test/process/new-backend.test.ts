import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Said, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

const toy = `import { backend as local } from '../local/index.js';
import type { Backend } from '../runner/types.js';

/** Pods, as far as this machine can be one. */
export const backend: Backend = { ...local, noticeMs: 3000 };
`;
const line = "  toy: () => import('./toy/index.js'),\n";

const files = {
  'script.js': `import http from 'k6/http';\nexport const options = { vus: 1, iterations: 1 };\nexport default () => { http.get(__ENV.BASE_URL + '/work'); };`,
};
const profile = (url: string) =>
  `target: {url: "${url}"}\nworkload: {script: ../script.js}\nrunners: {backend: toy}\nsla: {errors: < 1%}\n`;

/** A copy of the sources in `folder`, as they are in a clone. */
function copySources(folder: string): void {
  for (const name of ['src', 'bin', 'package.json', 'tsconfig.json']) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}

/** A word of the profile, one folder and one line. */
function addBackend(folder: string, source: string): void {
  const runners = join(folder, 'src', 'runners');
  mkdirSync(join(runners, 'toy'));
  writeFileSync(join(runners, 'toy', 'index.ts'), source);
  change(join(folder, 'src', 'profile', 'sections', 'runners.ts'), /'cloud'\]\)/, "'cloud', 'toy'])");
  change(join(runners, 'index.ts'), /^ {2}kubernetes: .*\n/m, (kubernetes) => kubernetes + line);
}

function change(file: string, what: RegExp, by: string | ((found: string) => string)): void {
  const before = readFileSync(file, 'utf8');
  expect(before).toMatch(what);
  writeFileSync(file, typeof by === 'string' ? before.replace(what, by) : before.replace(what, by));
}

function node(folder: string, args: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

const compile = (folder: string) => node(folder, ['node_modules/typescript/bin/tsc']);

test('a new backend is a word, one folder and one line: it compiles, plans and runs', async () => {
  const target = await startTarget();
  const { folder, file, loadctl } = workplace({ ...files, 'profiles/dev.yaml': profile(target.url) });
  const without = await loadctl(['run', '--env', 'dev']);
  expect([without.code, without.stderr]).toEqual([104, expect.stringContaining('toy')]);

  copySources(folder);
  addBackend(folder, toy);
  expect(await compile(folder)).toEqual({ code: 0, stdout: '', stderr: '' });
  const bin = file('bin/loadctl.js', readFileSync(join(root, 'bin', 'loadctl.js'), 'utf8'));
  expect((await node(folder, [bin, 'plan', '--env', 'dev'])).stdout).not.toContain('not implemented');
  const said = await node(folder, [bin, 'run', '--env', 'dev']);

  expect(said.stderr).toContain('run dev: 1 runner (toy)');
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(target.hits.get('GET /work')).toBe(1);
});

test('a backend that lacks one of its facts does not compile', async () => {
  const { folder } = workplace();
  copySources(folder);
  addBackend(folder, toy.replace(': Backend = {', ' = {').replace('noticeMs: 3000', 'noticeMs: undefined'));

  const { code, stdout } = await compile(folder);

  expect(code).not.toBe(0);
  expect(stdout).toMatch(/^src\/runners\/index\.ts\(\d+,\d+\): error TS/m);
  expect(stdout).toContain('noticeMs');
});
