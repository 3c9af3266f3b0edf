import type { ProcessEnd } from '../../core/os.js';
import { runnerApi } from '../../k6/rest.js';
import { endBehindAgent } from '../runner/agent.js';
import { freePort, shareOf, startAnswering } from '../runner/starting.js';
import type { BackendContext, Runner, RunnerLaunch } from '../runner/types.js';
import { runOrder } from './agent-script.js';
import { collectFrom } from './collect.js';
import { forwardCommand } from './commands.js';
import { tunnelRefused } from './failures.js';
import type { HostSession } from './host-session.js';

/** REST ports on a host are drawn from here: below the ephemeral ports of every system. */
const restPorts = { first: 20_000, count: 10_000 };
const forwardAttempts = 5;

/** Starts a runner on the host, and waits until it answers. Throws `unavailable` where it cannot. */
export async function startRemoteRunner(session: HostSession, launch: RunnerLaunch, context: BackendContext): Promise<Runner> {
  const { host, link } = session;
  const refused = link.tunnelRefused.then(() => Promise.reject(tunnelRefused(host.name)));
  return Promise.race([refused, startAnswering(() => spawnRemoteRunner(session, launch, context), context.clock)]);
}

/** Starts a k6 there, with its REST API on the host's loopback and a tunnel to it. */
async function spawnRemoteRunner(session: HostSession, launch: RunnerLaunch, context: BackendContext): Promise<Runner> {
  const { host, link, facts, vitals, inputs, reachablePort } = session;
  const { id, folder } = launch;
  const restPort = restPorts.first + Math.floor(Math.random() * restPorts.count);
  const localPort = await forward(session, restPort, context);
  const command = launch.command({
    address: `127.0.0.1:${restPort}`,
    folder: `${link.folder}/${id}`,
    inputs,
    reachablePort,
    share: shareOf(facts, Math.ceil(context.profile.count / (context.profile.hosts?.length ?? 1))),
  });
  const started = link.next('started', id);
  const ended = link
    .next('ended', id)
    .then((answer): ProcessEnd => (answer === undefined ? lost : endBehindAgent({ exitCode: answer.status })));
  link.order(runOrder(id, command));
  return {
    id,
    host: host.name,
    hostFacts: facts,
    pid: async () => (await started)?.pid,
    api: runnerApi(`http://127.0.0.1:${localPort}`),
    ended,
    vitals: () => vitals(id),
    end: (how) => link.order(`${how === 'hard' ? 'kill' : 'end'} ${id}\n`),
    collect: () => collectFrom(session, id, folder, context),
  };
}

/** Nobody can say any more how it ended. */
const lost: ProcessEnd = { error: 'EHOSTUNREACH' };

/** A port that is free now may be taken a moment later: then another one is tried. */
async function forward({ host }: HostSession, to: number, { execute, signal }: BackendContext): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const from = await freePort();
    const { exitCode, stderr } = await execute(forwardCommand(host, { from, to }), { timeoutMs: 10_000, signal });
    if (exitCode === 0) return from;
    if (attempt === forwardAttempts) throw tunnelRefused(host.name, stderr);
  }
}
