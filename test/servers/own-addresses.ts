import { execFileSync, spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

/** Whether this machine can be given addresses that are not loopback: it takes Linux, and root that may change its network. */
export function canHaveAddresses(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['--net', 'true']).status === 0;
}

/**
 * Gives this machine some addresses beyond loopback, of the range that is set apart for tests of networks, on a bridge that
 * leads nowhere; they are gone when the test is over. To loadctl each is another host.
 */
export function ownAddresses(count: number): string[] {
  const used = execFileSync('ip', ['-o', 'address'], { encoding: 'utf8' });
  for (let number = process.pid % 250, tries = 0; tries < 250; number = (number + 1) % 250, tries += 1) {
    const [subnet, bridge] = [`198.19.${number}`, `lcguard${number}`];
    if (used.includes(`${subnet}.`) || spawnSync('ip', ['link', 'add', bridge, 'type', 'bridge']).status !== 0) continue;
    onTestFinished(() => void execFileSync('ip', ['link', 'delete', bridge]));
    execFileSync('ip', ['link', 'set', bridge, 'up']);
    const addresses = Array.from({ length: count }, (_, index) => `${subnet}.${index + 1}`);
    for (const address of addresses) execFileSync('ip', ['address', 'add', `${address}/24`, 'dev', bridge]);
    return addresses;
  }
  throw new Error('no bridge could be added: ip link add … type bridge');
}
