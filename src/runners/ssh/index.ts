import { join } from 'node:path';
import { makeGate } from '../../core/gate.js';
import { pushEveryElsewhere } from '../../plan/push-interval.js';
import type { Agent } from '../agent/link.js';
import { type Host, startRunner } from '../agent/start-runner.js';
import type { Backend, BackendContext, OpenBackend, RunnerLaunch } from '../runner/types.js';
import type { SshHost } from './commands.js';
import { connect } from './connect.js';
import { destinationOf } from './destination.js';
import { prepareHost } from './host.js';

/** Handshakes at once: sshd drops some where there are ten (MaxStartups), and a jump host sees them all. */
const handshakesAtOnce = 6;
/** A UNIX socket's path has 104 bytes at most: ssh puts 17 behind it, and the host's number stands in it. */
const longestFolder = 82;

/**
 * Runners on other machines by way of the system's ssh: one connection a host, through which all goes, and one agent there
 * that looks after all runners of the host. The hosts of the profile get runners in turn.
 */
export const backend: Backend = {
  isHere: false,
  noticeMs: 5000,
  pushEveryMs: pushEveryElsewhere,
  hostsOf: ({ hosts = [] }) => hosts,
  open: openHosts,
};

function openHosts(context: BackendContext): OpenBackend {
  const { hosts: names = [], sshConfig: configFile } = context.profile;
  const gate = makeGate(handshakesAtOnce);
  const ready = new Map<string, Promise<Host>>();
  const agents: Agent[] = [];
  let dealt = 0;

  const open = async (name: string, launch: RunnerLaunch) => {
    const socket = join(await context.privateFolder(longestFolder), String(names.indexOf(name)));
    const host: SshHost = { ...destinationOf(name), socket, configFile };
    const connection = await connect(host, gate, context);
    agents.push(connection.agent);
    return prepareHost({ host, launch, ...connection }, context);
  };
  return {
    start: async (launch) => {
      const name = names[dealt++ % names.length] ?? '';
      const host = ready.get(name) ?? open(name, launch);
      ready.set(name, host);
      return startRunner(await host, launch, context);
    },
    close: async () => {
      await Promise.all(agents.map((agent) => agent.close()));
    },
  };
}
