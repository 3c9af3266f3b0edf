import { randomBytes } from 'node:crypto';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { howItEnded } from '../../core/ends.js';
import { LoadctlError } from '../../core/errors.js';
import { originOf } from '../../core/origin.js';
import { runnerApi } from '../../k6/rest.js';
import { type Agent, openAgent } from '../agent/link.js';
import { agentCommand } from '../agent/script.js';
import { type Host, startRunner } from '../agent/start-runner.js';
import { freePort, shareOf } from '../runner/starting.js';
import type { Backend, BackendContext, OpenBackend, RunnerLaunch } from '../runner/types.js';
import { glanceHere, localVitals } from './local-vitals.js';
import { readMeans } from './this-machine.js';

/** Runners as processes of this machine, in the care of one agent; their REST API and files are where they are from here, too. */
export const backend: Backend = {
  isHere: true,
  noticeMs: 2000,
  /**
   * 100 pushes a second of the whole fleet at most while that is more than one of each. Until its next push, k6 holds all
   * samples in memory: few of them are still in the CPU's caches, and less is lost with a runner (docs/decisions/0013).
   */
  pushEveryMs: (runners) => Math.min(1000, Math.max(200, runners * 10)),
  hostsOf: () => [],
  open: openHere,
};

function openHere(context: BackendContext): OpenBackend {
  let here: Promise<Host> | undefined;
  return {
    start: async (launch) => {
      here ??= thisMachine(context);
      return startRunner(await here, launch, context);
    },
    close: async () => {
      const host = await here?.catch(() => undefined);
      await host?.agent.close();
    },
  };
}

async function thisMachine(context: BackendContext): Promise<Host> {
  const share = shareOf(await readMeans(), context.profile.count); // before any runner takes its own
  const agent = await startAgent(context);
  const folderOf = ({ id }: RunnerLaunch) => join(agent.folder, id);
  return {
    name: hostname(),
    agent,
    place: (launch) => ({ folder: folderOf(launch), inputs: launch.inputs, reachablePort: launch.reachable.port, share }),
    openRest: async () => {
      const address = `127.0.0.1:${await freePort()}`;
      return { address, api: runnerApi(`http://${address}`, context.clock) };
    },
    vitals: (_, pid) => localVitals(pid, context.spawn),
    ...(glanceHere === undefined ? {} : { glance: glanceHere }),
    bring: async (launch) => ({ from: folderOf(launch), troubles: [] }),
    clockOrigin: async () => originOf(context.clock),
  };
}

async function startAgent({ spawn, env, home, clock, signal }: BackendContext): Promise<Agent> {
  const folder = join(resolve(tmpdir()), `loadctl-${randomBytes(8).toString('hex')}`);
  const command = { ...agentCommand(folder), env: { ...(env.PATH === undefined ? {} : { PATH: env.PATH }), HOME: home } };
  const agent = await openAgent((stdout) => spawn(command, { ownGroup: true, stdinPipe: true, stdout }), { clock, signal });
  if ('folder' in agent) return agent;
  throw new LoadctlError('unavailable', `What looks after this machine's runners did not start (${howItEnded(agent)}).`, {
    hint: `It needs a POSIX sh on your PATH, and a temporary folder that can be written: ${tmpdir()}`,
  });
}
