import { existsSync } from 'node:fs';
import { aptInstall, aptPrefix } from './apt.js';
import { onPath } from './shell.js';

/** What the tests of the lock behind a connection pooler need. Where it cannot be installed they are skipped. */
export async function pgbouncer(_status, note) {
  const found = program();
  if (found) return found;
  const asRoot = await aptPrefix();
  if (!asRoot) return 'missing, with no apt-get to install it: the tests behind a pooler are skipped';
  const how = await aptInstall(asRoot, ['pgbouncer'], 'pgbouncer', note);
  return `${program() ?? 'not found'}, by ${how}`;
}

/** Debian has it where only root's PATH looks. */
function program() {
  return onPath(['pgbouncer']) ?? ['/usr/sbin/pgbouncer'].find((file) => existsSync(file));
}
