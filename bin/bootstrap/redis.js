import { existsSync } from 'node:fs';
import { execute, mustRun, onPath, Unready } from './shell.js';

/** Finds a Redis server, or installs one with the system's package manager. */
export async function redis(_status, note) {
  const servers = ['redis-server', 'valkey-server'];
  const found = onPath(servers);
  if (found) return found;
  const how = await installRedis(note);
  const installed = onPath(servers);
  if (!installed) throw new Unready(`${how} left no redis-server on your PATH`, 'Put it there, then try again');
  return `${installed}, by ${how}`;
}

async function installRedis(note) {
  if (process.platform === 'darwin' && onPath(['brew'])) {
    note('brew install redis');
    await mustRun('brew install redis', { file: 'brew', args: ['install', 'redis'] }, 'Look at what brew says above, then try again');
    return 'brew install redis';
  }
  const asRoot = onPath(['apt-get']) ? await rootPrefix() : undefined;
  if (!asRoot) throw new Unready('there is no redis-server or valkey-server on your PATH', `Install one, then try again: ${whatToType()}`);
  const apt = (...args) => [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', ...args];
  note('apt-get update');
  await execute(asCommand(apt('update')));
  note('apt-get install redis-server');
  const install = apt('install', '-y', '--no-install-recommends', 'redis-server');
  await mustRun('apt-get install redis-server', asCommand(install), 'Look at what apt-get says above, then try again');
  await endService(asRoot);
  return 'apt-get install redis-server';
}

/** The package starts a service of its own on port 6379. Nobody asked for it: only the program is wanted. */
async function endService(asRoot) {
  const stop = existsSync('/run/systemd/system') ? ['systemctl', 'disable', '--now', 'redis-server'] : ['service', 'redis-server', 'stop'];
  await execute(asCommand([...asRoot, ...stop]));
}

async function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  const sudo = onPath(['sudo']) && (await execute({ file: 'sudo', args: ['-n', 'true'] }));
  return sudo?.exitCode === 0 ? ['sudo', '-n'] : undefined;
}

function whatToType() {
  const commands = {
    'apt-get': 'sudo apt-get install redis-server',
    dnf: 'sudo dnf install valkey',
    zypper: 'sudo zypper install redis',
    pacman: 'sudo pacman -S valkey',
    apk: 'sudo apk add redis',
    brew: 'brew install redis',
  };
  const manager = Object.keys(commands).find((name) => onPath([name]));
  return manager ? commands[manager] : 'https://redis.io/docs/latest/operate/oss_and_stack/install/';
}

function asCommand([file, ...args]) {
  return { file, args };
}
