import { aptInstall, aptPrefix } from './apt.js';
import { mustRun, onPath, Unready } from './shell.js';

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
  const asRoot = await aptPrefix();
  if (!asRoot) throw new Unready('no redis-server or valkey-server on your PATH', `Install one, then try again: ${whatToType()}`);
  return aptInstall(asRoot, ['redis-server'], 'redis-server', note);
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
