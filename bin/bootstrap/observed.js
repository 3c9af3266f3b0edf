import { existsSync } from 'node:fs';
import { aptInstall, aptPrefix } from './apt.js';
import { onPath } from './shell.js';

/** Servers that monitors and outputs are held against, as Debian has them: the package, its program, the service that comes with it. */
const servers = [
  { name: 'prometheus', program: 'prometheus' },
  { name: 'prometheus-node-exporter', program: 'prometheus-node-exporter' },
  { name: 'rabbitmq-server', program: 'rabbitmq-server' },
  { name: 'influxdb', program: 'influxd' },
  { name: 'victoria-metrics', program: 'victoria-metrics' },
];

/** What the tests of monitors and outputs against real servers need. Where it cannot be installed they are skipped. */
export async function observed(_status, note) {
  const missing = servers.filter(({ program }) => !has(program));
  if (missing.length === 0) return servers.map(({ name }) => name).join(', ');
  const names = missing.map(({ name }) => name);
  const asRoot = await aptPrefix();
  if (!asRoot) return `${names.join(', ')} missing, with no apt-get to install them: their tests are skipped`;
  const ways = [];
  for (const name of names) ways.push(await aptInstall(asRoot, [name], name, note));
  return ways.join(', ');
}

/** Debian has some of them where only root's PATH looks. */
function has(program) {
  return onPath([program]) !== undefined || existsSync(`/usr/sbin/${program}`);
}
