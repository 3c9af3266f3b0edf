import { LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { BackendContext, HostFacts, RunnerInputs, RunnerLaunch } from '../runner/types.js';
import type { AgentLink } from './agent-link.js';
import { overSsh, reverseCommand, type SshHost } from './commands.js';
import { tunnelRefused } from './failures.js';
import { type Gate, makeGate } from './gate.js';
import { hostFacts } from './host-facts.js';
import { type HostVitals, hostVitals } from './host-vitals.js';
import { listensBeyondLoopback } from './listening.js';
import { sendFile } from './send-file.js';

/** Of the ten sessions that sshd allows on one connection, the agent has one; some are left to others. */
const sessionsAtOnce = 4;
const clockAsks = 3;

/** A host that is ready to have runners started on it. */
export interface HostSession {
  readonly host: SshHost;
  readonly link: AgentLink;
  readonly facts: HostFacts;
  readonly vitals: HostVitals;
  /** Where the runners' files lie on the host. */
  readonly inputs: RunnerInputs;
  /** The port of the host that leads to {@link RunnerLaunch.reachable}. */
  readonly reachablePort: number;
  /** Bounds how many sessions are open at once. */
  readonly gate: Gate;
}

/** Makes a host ready: looks at it, brings what its runners read, and opens the way back. Throws `unavailable` where it will not do. */
export async function prepareHost(host: SshHost, link: AgentLink, launch: RunnerLaunch, context: BackendContext): Promise<HostSession> {
  const clockOffsetMs = await askClock(link, context);
  if (context.profile.hostK6 === 'bring') await bringK6(host, link, launch.inputs.k6, context);
  const facts = hostFacts(host.name, link.facts, clockOffsetMs);
  const archive = `${link.folder}/test.tar`;
  const sent = await sendFile(host, launch.inputs.archive, archive, context);
  if (sent !== launch.inputs.archiveSha256) {
    throw new LoadctlError('unavailable', `The archive arrived damaged on ${host.name} (sha256 ${sent}).`, {
      hint: 'Try again; look at the disk and the network of that host.',
    });
  }
  return {
    host,
    link,
    facts,
    vitals: hostVitals(link),
    inputs: { k6: link.facts.get('k6-path') ?? 'k6', configFile: `${link.folder}/k6-config.json`, archive },
    reachablePort: await openReverse(host, launch.reachable.port, context),
    gate: makeGate(sessionsAtOnce),
  };
}

/** How far the host's clock is ahead: by the answer that came soonest, as the others were held up on some way. */
async function askClock(link: AgentLink, { clock }: BackendContext): Promise<Milliseconds> {
  let best = { tookMs: Number.POSITIVE_INFINITY, offsetMs: 0 };
  for (let asks = 0; asks < clockAsks; asks += 1) {
    const asked = clock.now();
    const answer = link.next('now');
    link.order('now\n');
    const seconds = (await answer)?.seconds ?? Number.NaN;
    const tookMs = clock.now() - asked;
    // Halfway between question and answer is when it was read.
    if (!Number.isNaN(seconds) && tookMs < best.tookMs) best = { tookMs, offsetMs: Math.round(seconds * 1000 - asked - tookMs / 2) };
  }
  return best.offsetMs;
}

async function bringK6(host: SshHost, link: AgentLink, k6: string, context: BackendContext): Promise<void> {
  const { stdout } = await context.execute({ file: 'uname', args: ['-sm'] });
  const there = link.facts.get('platform');
  if (stdout.trim() !== there) {
    throw new LoadctlError('unavailable', `This machine's k6 (${stdout.trim()}) does not run on ${host.name} (${there}).`, {
      hint: 'Install k6 there, and take `hostK6: bring` out of the profile.',
    });
  }
  const path = `${link.folder}/k6`;
  await sendFile(host, k6, path, context, '700');
  const told = link.next('now');
  link.order(`version ${path}\nnow\n`);
  await told;
}

/** Opens the way back. sshd's `GatewayPorts yes` would open it to the host's whole network, whatever is asked for. */
async function openReverse(host: SshHost, port: number, { execute, signal }: BackendContext): Promise<number> {
  const { exitCode, stdout, stderr } = await execute(reverseCommand(host, port), { timeoutMs: 10_000, signal });
  const there = Number(/\d+/.exec(stdout)?.[0]);
  if (exitCode !== 0 || !there) throw tunnelRefused(host.name, stderr);
  const looked = await execute(overSsh(host, { file: 'cat', args: ['/proc/net/tcp', '/proc/net/tcp6'] }), { timeoutMs: 10_000, signal });
  if (!listensBeyondLoopback(looked.stdout, there)) return there;
  throw new LoadctlError('unavailable', `The sshd of ${host.name} opens forwarded ports to its whole network.`, {
    hint: 'Close them in its sshd_config: GatewayPorts no (or clientspecified)',
  });
}
