import type { Clock, ProcessEnd } from '../../core/os.js';
import type { RunnerApi } from '../../k6/rest.js';
import { readRunnerFiles } from '../runner/files.js';
import { startAnswering } from '../runner/starting.js';
import type { HostFacts, Runner, RunnerLaunch, RunnerPlace, Vitals } from '../runner/types.js';
import type { Agent } from './link.js';
import { endIn, orders } from './protocol.js';

/** Where an agent has runners started, and what is its backend's own way of getting there. */
export interface Host {
  /** As the system or the profile calls it. */
  readonly name: string;
  /** What it is able to do; missing where it is this machine. */
  readonly facts?: HostFacts;
  readonly agent: Agent;
  /** Rejects where runners cannot be reached there after all; never resolves. */
  readonly barred?: Promise<never>;
  /** Where a runner lives there, but for its REST API. */
  place(launch: RunnerLaunch): Omit<RunnerPlace, 'address'>;
  /** An address there for the REST API of one runner, and the way to it from here. */
  openRest(): Promise<{ readonly address: string; readonly api: RunnerApi }>;
  vitals(runner: string, pid: number | undefined): Promise<Vitals | undefined>;
  /** Brings what a runner wrote there into its folder here; never rejects. */
  bring(launch: RunnerLaunch): Promise<void>;
  /** How a runner ended whose agent cannot say it any more; as the agent's carrier did, where it is missing. */
  readonly lost?: ProcessEnd;
}

/** Starts a runner, paused, by the agent of a host, and waits until it answers. Throws `unavailable` where it does not. */
export function startRunner(host: Host, launch: RunnerLaunch, clock: Clock): Promise<Runner> {
  const answering = startAnswering(() => spawnRunner(host, launch), clock);
  return host.barred === undefined ? answering : Promise.race([host.barred, answering]);
}

async function spawnRunner(host: Host, launch: RunnerLaunch): Promise<Runner> {
  const { name, facts, agent } = host;
  const { id, folder } = launch;
  const { address, api } = await host.openRest();
  const place = host.place(launch);
  const started = agent.next('started', id);
  const ended = agent.next('ended', id);
  agent.order(orders.run(id, launch.command({ ...place, address }), place.folder));
  const pid = started.then((answer) => answer && Number(answer.text));
  return {
    id,
    host: name,
    ...(facts === undefined ? {} : { hostFacts: facts }),
    pid: () => pid,
    api,
    ended: ended.then(async (answer) => (answer && endIn(answer)) ?? host.lost ?? (await agent.ended)),
    vitals: async () => host.vitals(id, await pid),
    end: (how) => agent.order(orders.end(id, how)),
    collect: async () => {
      await host.bring(launch);
      return readRunnerFiles(folder);
    },
  };
}
