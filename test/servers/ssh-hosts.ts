import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type HostKind, type SshTestNetwork, startHosts as start } from '../../examples/servers/ssh-hosts.js';

export { canMakeHosts, type HostKind, type SshTestNetwork } from '../../examples/servers/ssh-hosts.js';

const relay = fileURLToPath(new URL('slow-relay.js', import.meta.url));

/** Makes a network with these hosts; nothing of it is left when the test is over. */
export function startHosts(kinds: readonly HostKind[]): Promise<SshTestNetwork> {
  return start(kinds, { defer: onTestFinished, k6: process.env.LOADCTL_K6 ?? '', relay });
}
