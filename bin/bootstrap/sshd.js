import { existsSync } from 'node:fs';
import { aptInstall, aptPrefix } from './apt.js';
import { onPath } from './shell.js';

const program = '/usr/sbin/sshd';

/** What the tests of runners over ssh need: an sshd, and hosts that are made with `ip`. Where root is missing they are skipped. */
export async function sshd(_status, note) {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'not looked for: its tests make network namespaces, as root on Linux';
  const missing = [
    ...(existsSync(program) ? [] : ['openssh-server']),
    ...(onPath(['ssh']) ? [] : ['openssh-client']),
    ...(onPath(['ip']) ? [] : ['iproute2']),
    ...(onPath(['busybox']) ? [] : ['busybox']), // the shell of small hosts
  ];
  if (missing.length === 0) return program;
  const asRoot = await aptPrefix();
  if (!asRoot) return `missing, with no apt-get to install it: the tests over ssh will say so (${missing.join(', ')})`;
  return `${program}, by ${await aptInstall(asRoot, missing, 'ssh', note)}`;
}
