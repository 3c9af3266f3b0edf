import { vanished } from '../../core/ends.js';
import type { RunnerId } from '../../core/ids.js';
import type { Clock, ProcessEnd } from '../../core/os.js';
import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import type { RunnerApi } from '../../k6/rest.js';
import { keepNumbers } from '../runner/files.js';
import { keepLog } from '../runner/log-copy.js';
import { keepOwnFiles } from '../runner/own-files.js';
import { type Started, startAnswering } from '../runner/starting.js';
import type { BackendContext, HostFacts, HowToEnd, ProcessLook, Runner, RunnerLaunch, RunnerPlace, Vitals } from '../runner/types.js';
import type { Agent } from './link.js';
import { type Answer, endIn, orders } from './protocol.js';

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
  vitals(runner: RunnerId, pid: number | undefined): Promise<Vitals | undefined>;
  /** See {@link Runner.glance}. */
  glance?(pid: number | undefined): Promise<ProcessLook | undefined>;
  /** See {@link Runner.clockOrigin}. */
  clockOrigin(): Promise<EpochMs | undefined>;
  /** Brings what a runner wrote there to this machine; where it lies now, and what could not be brought. Never rejects. */
  bring(launch: RunnerLaunch, what: 'numbers' | 'log' | 'own'): Promise<Brought>;
  /** How a runner ended that nobody asked to end, where more is known of it there than the agent does. */
  readonly explain?: (end: ProcessEnd) => Promise<ProcessEnd>;
  /** How a runner ended whose agent cannot say it any more; as the agent's carrier did, where it is missing. */
  readonly lost?: () => Promise<ProcessEnd>;
}

/** A folder of this machine alone that holds what a runner wrote, secrets and all. */
export interface Brought {
  readonly from: string;
  readonly troubles: readonly string[];
}

/** How long the last of a log may take to reach its file. */
const logMs: Milliseconds = 3000;

/** A process that was killed is gone, or its system does not let go of it; an agent that is lost is found out before. */
const killMs: Milliseconds = 5000;

/** Starts a runner, paused, by the agent of a host, and waits until it answers. Throws `unavailable` where it does not. */
export function startRunner(host: Host, launch: RunnerLaunch, means: Means): Promise<Runner> {
  const answering = startAnswering(() => spawnRunner(host, launch, means), means.clock);
  return host.barred === undefined ? answering : Promise.race([host.barred, answering]);
}

/** What starting a runner takes besides. */
type Means = Pick<BackendContext, 'clock' | 'redact'>;

async function spawnRunner(host: Host, launch: RunnerLaunch, means: Means): Promise<Started> {
  const { name, facts, agent } = host;
  const { id } = launch;
  const { address, api } = await host.openRest();
  const place = host.place(launch);
  const started = agent.next('started', id);
  const ended = agent.next('ended', id);
  const kept = agent.next('kept', id);
  agent.order(orders.run(id, launch.command({ ...place, address })));
  const pid = started.then((answer) => answer && Number(answer.text));
  const gone = new AbortController();
  const asked: HowToEnd[] = [];
  const end = ended.then(async (answer) => {
    if (answer === undefined) return host.lost?.() ?? agent.ended;
    const how = endIn(answer);
    return asked.length === 0 ? (host.explain?.(how) ?? how) : how;
  });
  const killed = new AbortController();
  const runner: Runner = {
    id,
    host: name,
    ...(facts === undefined ? {} : { hostFacts: facts }),
    pid: () => pid,
    api,
    ended: withinLimit(end, killed.signal, means.clock).finally(() => gone.abort()),
    gone: gone.signal,
    asked: () => asked.at(-1),
    vitals: async () => host.vitals(id, await pid),
    ...glancing(host, pid),
    clockOrigin: () => host.clockOrigin(),
    end: (how) => {
      if (gone.signal.aborted || asked.includes(how) || asked.includes('hard')) return;
      asked.push(how);
      agent.order(orders.end(id, how));
      if (how === 'hard') killed.abort();
    },
    ...keeping(host, launch, kept, means),
  };
  return { runner, answersItself: () => pid.then(() => isOwn(agent, id, address)) };
}

function glancing({ glance }: Host, pid: Promise<number | undefined>): Pick<Runner, 'glance'> {
  return glance === undefined ? {} : { glance: async () => glance(await pid) };
}

/** How a process ended; unknown where nothing tells in time after it was killed: nobody waits for it any longer. */
async function withinLimit(end: Promise<ProcessEnd>, killed: AbortSignal, clock: Pick<Clock, 'sleep'>): Promise<ProcessEnd> {
  const known = new AbortController();
  const late = new Promise<ProcessEnd>((resolve) => {
    const wait = () => void clock.sleep(killMs, known.signal).then(() => resolve({ error: vanished }));
    killed.addEventListener('abort', wait, { once: true });
  });
  return Promise.race([end, late]).finally(() => known.abort());
}

/** Whether it is this runner that listens at an address of its machine. Yes where the machine does not tell, or is lost. */
async function isOwn(agent: Agent, id: RunnerId, address: string): Promise<boolean> {
  const whose = agent.next('port', id);
  agent.order(orders.whose(id, Number(address.slice(address.lastIndexOf(':') + 1))));
  const text = (await whose)?.text ?? 'unknown';
  return text === 'own' || text === 'unknown';
}

/** Brings and keeps what a runner wrote, each thing once however often it is asked for. */
function keeping(
  host: Host,
  launch: RunnerLaunch,
  kept: Promise<Answer | undefined>,
  { clock, redact }: Means,
): Pick<Runner, 'collect' | 'readLog'> {
  const to = launch.folder;
  const collect = once(async () => {
    const { from, troubles } = await host.bring(launch, 'numbers');
    const files = await keepNumbers({ from, to, redact });
    return { ...files, troubles: [...troubles, ...files.troubles] };
  });
  const keepOwn = async (): Promise<readonly string[]> => {
    if (launch.ownFiles.length === 0) return [];
    const { from, troubles } = await host.bring(launch, 'own');
    return [...troubles, ...(await keepOwnFiles({ from, to, redact }, launch.ownFiles))];
  };
  const readLog = once(async () => {
    const whole = new AbortController();
    const passed = await Promise.race([kept, clock.sleep(logMs, whole.signal)]);
    whole.abort();
    const { from, troubles } = await host.bring(launch, 'log');
    const log = await keepLog({ from, to, redact }, passedBytes(passed?.text));
    return { ...log, troubles: [...troubles, ...log.troubles, ...(await keepOwn())] };
  });
  return { collect, readLog };
}

/** Undefined where the agent cannot tell: its dd does not count, or nothing came in time. */
function passedBytes(text: string | undefined): number | undefined {
  const bytes = Number(text);
  return Number.isNaN(bytes) ? undefined : bytes;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
