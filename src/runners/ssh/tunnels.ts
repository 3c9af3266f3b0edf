import { LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { freePort } from '../runner/starting.js';
import type { BackendContext } from '../runner/types.js';
import { forwardCommand, overSsh, reverseCommand, type SshHost } from './commands.js';
import { tunnelRefused } from './failures.js';

const answerMs: Milliseconds = 10_000;
/** REST ports on a host are drawn from here: below the ephemeral ports of every system. */
const restPorts = { first: 20_000, count: 10_000 };
const forwardAttempts = 5;

/** Hands out ports of a host for REST APIs, no two the same: in a row, from where it is drawn. */
export function restPortsOf(): () => number {
  let next = Math.floor(Math.random() * restPorts.count);
  return () => restPorts.first + (next++ % restPorts.count);
}

/**
 * Makes a port of this machine, which it returns, lead to one of the host. One that is free now may be taken a moment later:
 * then another one is tried.
 */
export async function openForward(host: SshHost, to: number, { execute, signal }: BackendContext): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const from = await freePort();
    const { exitCode, stderr } = await execute(forwardCommand(host, { from, to }), { timeoutMs: answerMs, signal });
    if (exitCode === 0) return from;
    if (attempt === forwardAttempts) throw tunnelRefused(host.name, stderr);
  }
}

/**
 * Makes a port of the host, which it returns, lead to one of this machine. sshd's `GatewayPorts yes` would open it to the
 * host's whole network, whatever is asked for.
 */
export async function openReverse(host: SshHost, port: number, { execute, signal }: BackendContext): Promise<number> {
  const { exitCode, stdout, stderr } = await execute(reverseCommand(host, port), { timeoutMs: answerMs, signal });
  const there = Number(/\d+/.exec(stdout)?.[0]);
  if (exitCode !== 0 || !there) throw tunnelRefused(host.name, stderr);
  const looked = await execute(overSsh(host, { file: 'cat', args: ['/proc/net/tcp', '/proc/net/tcp6'] }), { timeoutMs: answerMs, signal });
  if (!listensBeyondLoopback(looked.stdout, there)) return there;
  throw new LoadctlError('unavailable', `The sshd of ${host.name} opens forwarded ports to its whole network.`, {
    hint: 'Close them in its sshd_config: GatewayPorts no (or clientspecified)',
  });
}

/** Loopback as `/proc/net/tcp` and `tcp6` write it: 127.0.0.1, ::1. */
const loopbacks = ['0100007F', '00000000000000000000000001000000'];
const listening = '0A';

/** Whether a port is listened on beyond loopback, by the content of a Linux host's `/proc/net/tcp` and `tcp6`. */
export function listensBeyondLoopback(procNetTcp: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return procNetTcp.split('\n').some((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    return state === listening && local.endsWith(suffix) && !loopbacks.includes(local.slice(0, -suffix.length));
  });
}
