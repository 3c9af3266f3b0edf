import { existsSync } from 'node:fs';
import { aptInstall, aptPrefix } from './apt.js';
import { onPath } from './shell.js';

/** What the nodes of the test cluster run, as Debian has it: the package, and a file of it. */
const parts = [
  { name: 'containerd', file: 'containerd' },
  { name: 'runc', file: 'runc' },
  { name: 'containernetworking-plugins', file: '/usr/lib/cni/bridge' },
  { name: 'busybox-static', file: '/bin/busybox' },
  { name: 'nftables', file: 'nft' },
  { name: 'iproute2', file: 'ip' },
  { name: 'openssl', file: 'openssl' },
];

/** What the tests on Kubernetes need besides Go. Where it cannot be installed they are skipped. */
export async function cluster(_status, note) {
  const missing = parts.filter(({ file }) => !has(file)).map(({ name }) => name);
  if (missing.length === 0) return parts.map(({ name }) => name).join(', ');
  const asRoot = process.getuid?.() === 0 ? await aptPrefix() : undefined;
  if (!asRoot) return `${missing.join(', ')} missing, and this is not root with apt-get: the tests on Kubernetes are skipped`;
  return aptInstall(asRoot, missing, 'containerd', note).catch((error) => `${error.message}: the tests on Kubernetes are skipped`);
}

/** Debian has some of them where only root's PATH looks. */
function has(file) {
  return onPath([file]) !== undefined || existsSync(file) || existsSync(`/usr/sbin/${file}`);
}
