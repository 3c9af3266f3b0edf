import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, LoadctlError } from '../../core/errors.js';
import { makeGate } from '../../core/gate.js';
import type { RunnerId } from '../../core/ids.js';
import { originOf } from '../../core/origin.js';
import { runnerApi } from '../../k6/rest.js';
import { askClock, clockOf } from '../agent/clock.js';
import { hostFacts } from '../agent/host-facts.js';
import { agentVitals, look } from '../agent/look.js';
import { agentFiles } from '../agent/script.js';
import type { Brought, Host } from '../agent/start-runner.js';
import { type Wanted, wantedOf } from '../agent/transfer.js';
import { shareOf } from '../runner/starting.js';
import type { BackendContext, RunnerLaunch } from '../runner/types.js';
import type { SshHost } from './commands.js';
import type { Connection } from './connect.js';
import { bringFiles, sendFile } from './files.js';
import { openForward, openReverse, restPortsOf } from './tunnels.js';

/** Of the ten sessions that sshd allows on one connection, the agent has one; some are left to others. */
const sessionsAtOnce = 4;

const remedies = {
  missing: 'Install k6 2.0 or newer there, set its path (runners.hostK6: /path/to/k6), or have loadctl copy it: runners.hostK6: bring',
  old: 'Update it there, or bring a newer one along: runners.hostK6: bring',
};

/** A host that is connected, and one of the runners that it gets: what they read and reach is the same for all. */
export interface HostTask extends Connection {
  readonly host: SshHost;
  readonly launch: RunnerLaunch;
}

/** Makes a host ready: looks at it, brings what its runners read, and opens the way back. Throws `unavailable` where it will not do. */
export async function prepareHost(task: HostTask, context: BackendContext): Promise<Host> {
  const { host, agent, barred, launch } = task;
  const { count, hosts = [] } = context.profile;
  const origin = await askClock(clockOf(agent), context);
  const clockOffsetMs = origin === undefined ? 0 : Math.round(origin - originOf(context.clock));
  const seen = await look(agent, `host ${await k6There(task, context)}`);
  const archive = await sendArchive(task, context);
  const facts = hostFacts(host.name, { seen, clockOffsetMs, remedies });
  const reachablePort = await openReverse(host, launch.reachable.port, context);
  const inputs = { k6: seen.get('k6-path')?.trim() || 'k6', configFile: `${agent.folder}/${agentFiles.k6Config}`, archive };
  const share = shareOf(facts, Math.ceil(count / hosts.length));
  const gate = makeGate(sessionsAtOnce);
  const drawPort = restPortsOf();
  const folderOf = (runner: RunnerId) => `${agent.folder}/${runner}`;
  return {
    name: host.name,
    facts,
    agent,
    barred,
    place: ({ id }) => ({ folder: folderOf(id), inputs, reachablePort, share }),
    openRest: async () => {
      const to = drawPort();
      const from = await openForward(host, to, context);
      return { address: `127.0.0.1:${to}`, api: runnerApi(`http://127.0.0.1:${from}`, context.clock) };
    },
    vitals: agentVitals(agent),
    bring: (wanted, what) => gate(() => bring(task, folderOf(wanted.id), wantedOf(wanted, what), context)),
    clockOrigin: () => askClock(clockOf(agent), context),
    lost: async () => ({ error: 'EHOSTUNREACH' }),
  };
}

/** Nothing where the connection is gone, and the runner lost with it: that is told already. */
async function bring({ host, agent }: HostTask, there: string, what: Wanted, context: BackendContext): Promise<Brought> {
  try {
    const here = await mkdtemp(join(await context.privateFolder(), 'runner-'));
    const isGone = await Promise.race([agent.ended.then(() => true), false]);
    return { from: here, troubles: isGone ? [] : await bringFiles(host, { here, there }, what, context) };
  } catch (error) {
    return { from: '', troubles: [errorMessage(error)] };
  }
}

/** The k6 of the host by its name or path: its own one, or this machine's, which is copied there now. */
async function k6There({ host, agent, launch }: HostTask, context: BackendContext): Promise<string> {
  const { hostK6 = 'k6' } = context.profile;
  if (hostK6 !== 'bring') return hostK6;
  const here = (await context.execute({ file: 'uname', args: ['-sm'] })).stdout.trim();
  const there = (await look(agent, 'host k6')).get('platform')?.trim();
  if (here !== there) {
    throw new LoadctlError('unavailable', `This machine's k6 (${here}) does not run on ${host.name} (${there}).`, {
      hint: 'Install k6 there, and remove `hostK6: bring` from the profile.',
    });
  }
  const path = `${agent.folder}/k6`;
  await sendFile(host, { here: launch.inputs.k6, there: path }, '700', context);
  return path;
}

async function sendArchive({ host, agent, launch: { inputs } }: HostTask, context: BackendContext): Promise<string> {
  const path = `${agent.folder}/test.tar`;
  const sent = await sendFile(host, { here: inputs.archive, there: path }, '600', context);
  if (sent === inputs.archiveSha256) return path;
  throw new LoadctlError('unavailable', `The archive arrived damaged on ${host.name} (sha256 ${sent}).`, {
    hint: 'Try again; look at the disk and the network of that host.',
  });
}
