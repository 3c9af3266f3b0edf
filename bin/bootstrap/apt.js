import { existsSync } from 'node:fs';
import { execute, mustRun, onPath } from './shell.js';

/** Whether packages can be installed with apt-get: the words to put before it, or undefined. */
export async function aptPrefix() {
  if (!onPath(['apt-get'])) return undefined;
  if (process.getuid?.() === 0) return [];
  const sudo = onPath(['sudo']) && (await execute({ file: 'sudo', args: ['-n', 'true'] }));
  return sudo?.exitCode === 0 ? ['sudo', '-n'] : undefined;
}

/** Installs packages with apt-get and ends the service that comes with them, where one does; hands back how it was done, in words. */
export async function aptInstall(asRoot, packages, service, note) {
  const apt = (...args) => [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', ...args];
  const what = `apt-get install ${packages.join(' ')}`;
  note('apt-get update');
  await execute(asCommand(apt('update')));
  note(what);
  const install = apt('install', '-y', '--no-install-recommends', ...packages);
  await mustRun(what, asCommand(install), 'Look at what apt-get says above, then try again');
  if (service !== undefined) await endService(asRoot, service);
  return what;
}

/** The package starts a service of its own. It is not needed: only the program is. */
async function endService(asRoot, service) {
  const stop = existsSync('/run/systemd/system') ? ['systemctl', 'disable', '--now', service] : ['service', service, 'stop'];
  await execute(asCommand([...asRoot, ...stop]));
}

function asCommand([file, ...args]) {
  return { file, args };
}
