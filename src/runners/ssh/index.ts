import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { Backend, BackendContext, RunnerLaunch } from '../runner/types.js';
import { type AgentLink, openLink } from './agent-link.js';
import type { SshHost } from './commands.js';
import { destinationOf } from './destination.js';
import { type Gate, makeGate } from './gate.js';
import { type HostSession, prepareHost } from './host-session.js';
import { startRemoteRunner } from './remote-runner.js';

/** Handshakes at once: sshd drops some where there are ten (MaxStartups), and a jump host sees them all. */
const handshakesAtOnce = 6;
const attempts = 5;
const firstPauseMs = 250;
/** A UNIX socket's path has 104 bytes at most, of which ssh itself wants some. */
const longestFolder = 70;

/**
 * Runners on other machines by way of the system's ssh: one connection a host, through which all goes, and one agent there
 * that looks after all runners of the host. The hosts of the profile get runners in turn.
 */
export function sshBackend(context: BackendContext): Backend {
  const { hosts = [], sshConfig: configFile } = context.profile;
  const gate = makeGate(handshakesAtOnce);
  const sockets = mkdtempSync(join(tmpdir().length > longestFolder ? '/tmp' : tmpdir(), 'loadctl-'));
  const sessions = new Map<string, Promise<HostSession>>();
  const links: AgentLink[] = [];
  let dealt = 0;

  const open = async (name: string, launch: RunnerLaunch) => {
    const socket = join(sockets, String(hosts.indexOf(name)));
    const host: SshHost = { ...destinationOf(name), socket, configFile };
    const link = await connect(host, gate, context);
    links.push(link);
    return prepareHost(host, link, launch, context);
  };
  return {
    noticeMs: 5000,
    start: async (launch) => {
      const name = hosts[dealt++ % hosts.length] ?? '';
      const session = sessions.get(name) ?? open(name, launch);
      sessions.set(name, session);
      return startRemoteRunner(await session, launch, context);
    },
    close: async () => {
      await Promise.all(links.map((link) => link.close()));
      await rm(sockets, { recursive: true, force: true });
    },
  };
}

async function connect(host: SshHost, gate: Gate, context: BackendContext): Promise<AgentLink> {
  const { clock, signal, profile } = context;
  for (let attempt = 1; ; attempt += 1) {
    const k6 = profile.hostK6 === undefined || profile.hostK6 === 'bring' ? 'k6' : profile.hostK6;
    const settings = { token: randomBytes(8).toString('hex'), k6, keep: profile.keep === true };
    const outcome = await gate(() => openLink(host, settings, context));
    if ('folder' in outcome) return outcome;
    if (signal.aborted) throw new LoadctlError('interrupted', `The run was interrupted on the way to ${host.name}.`);
    if (!outcome.passing || attempt === attempts) throw outcome.error;
    await clock.sleep(firstPauseMs * 2 ** attempt * (0.5 + Math.random()), signal);
  }
}
