import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { freePort } from '../../src/runners/runner/starting.js';
import { workplace } from '../support/loadctl.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = ['src', 'bin', 'examples', 'k6', 'profiles', 'schema', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** loadctl as npm installs it into `folder`: what is packed, and no packages but its dependencies. */
function install(folder: string): string {
  const clone = join(folder, 'clone');
  for (const name of sources) cpSync(join(root, name), join(clone, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: clone, stdio: 'pipe' });
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  execFileSync('tar', ['-xzf', archive], { cwd: folder });
  const installed = join(folder, 'package');
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const link = join(installed, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  return join(installed, 'bin', 'loadctl.js');
}

test('what is published works with its dependencies alone, and names its sources where it fails', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const { folder } = workplace({
    'script.js': 'export const options = { vus: 1, iterations: 1 };\nexport default () => {};',
    'profiles/dev.yaml': `target: {url: "${url}", health: /}\nworkload: {script: ../script.js}\nsla: {errors: < 1%}\n`,
  });
  const bin = install(folder);
  const { LOADCTL_DEBUG: _, ...usual } = process.env;
  const loadctl = (args: readonly string[], env = {}) =>
    spawnSync(process.execPath, [bin, ...args], { cwd: folder, env: { ...usual, ...env }, encoding: 'utf8' });

  expect(readdirSync(join(folder, 'package', 'dist', 'page')).sort()).toEqual(['page.css', 'page.js']);
  const plan = loadctl(['plan', '--env', 'dev']);
  expect(plan).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('default: shared-iterations, 1 VU, 1 iteration') });
  const run = loadctl(['run', '--env', 'dev']);
  expect(run).toMatchObject({ status: 115, stderr: expect.stringContaining('The target is not healthy') });
  const unknown = loadctl(['plan', '--env', 'nowhere'], { LOADCTL_DEBUG: '1' });
  expect(unknown.stderr).toMatch(/ at findProfile \(\S+\/src\/profile\/find\.ts:\d+:\d+\)/);
});
