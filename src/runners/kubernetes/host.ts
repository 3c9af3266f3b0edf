import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { howItEnded } from '../../core/ends.js';
import { errorMessage, LoadctlError } from '../../core/errors.js';
import { originOf } from '../../core/origin.js';
import type { EpochMs } from '../../core/quantities.js';
import { runnerApi } from '../../k6/rest.js';
import { askClock } from '../agent/clock.js';
import { hostFacts } from '../agent/host-facts.js';
import { type Agent, type Carrier, openAgent } from '../agent/link.js';
import { agentVitals, look } from '../agent/look.js';
import { receiveFiles } from '../agent/receive.js';
import { agentCommand, agentFiles } from '../agent/script.js';
import type { Brought, Host } from '../agent/start-runner.js';
import { receiveCommand, sayCommand, sha256In, type Wanted, wantedOf } from '../agent/transfer.js';
import { shareOf } from '../runner/starting.js';
import type { BackendContext, RunnerLaunch } from '../runner/types.js';
import { eachLine } from './link/lines.js';
import type { CarrierLink } from './link/switchboard.js';
import { protocol, readLine } from './link/wire.js';

const remedies = {
  missing: 'The image of runners.kubernetes.image needs k6 2.0 or newer on its PATH.',
  old: 'Put a newer one into the image of runners.kubernetes.image.',
};
const outOfMemory = 'out of memory: killed at the memory limit of its pod';
const memoryEvents = '/sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control';
const memoryMs = 2000;
/** k6's own number for its REST API; the pod is the runner's alone. */
const restPort = 6565;

/** Starts the agent in a pod by its carrier, and makes the pod ready for its runner. Throws `unavailable` where it will not do. */
export async function prepareHost(link: CarrierLink, launch: RunnerLaunch, context: PodContext): Promise<Host> {
  const { pod } = link.hello;
  if (link.hello.protocol !== protocol) throw otherVersion(link, 'speaks another protocol than this loadctl');
  const agent = await startAgent(link, context);
  const clockOrigin = () => askPodClock(link, agent, context);
  const origin = await clockOrigin();
  const clockOffsetMs = origin === undefined ? 0 : Math.round(origin - originOf(context.clock));
  const seen = await look(agent, 'host k6');
  const facts = hostFacts(pod, { seen, clockOffsetMs, remedies });
  await checkK6(link, facts.k6Version, launch, context);
  const archive = await sendArchive(link, agent, launch);
  const inputs = { k6: seen.get('k6-path')?.trim() || 'k6', configFile: `${agent.folder}/${agentFiles.k6Config}`, archive };
  const folder = `${agent.folder}/${launch.id}`;
  let port = restPort;
  return {
    name: pod,
    facts,
    agent,
    place: () => ({ folder, inputs, reachablePort: link.hello.pushPort, share: shareOf(facts, 1) }),
    openRest: async () => {
      const there = port++;
      const address = `127.0.0.1:${there}`;
      return { address, api: runnerApi(`http://${address}`, context.clock, () => link.open({ port: there })) };
    },
    vitals: agentVitals(agent),
    bring: (wanted, what) => bring(link, folder, wantedOf(wanted, what), context),
    clockOrigin,
    explain: async (end) => (end.signal === 'SIGKILL' && (await wasShortOfMemory(link, context)) ? { ...end, why: outOfMemory } : end),
  };
}

function otherVersion({ hello }: CarrierLink, what: string): LoadctlError {
  return new LoadctlError('unavailable', `The image of pod ${hello.pod} (loadctl ${hello.loadctl}) ${what}.`, {
    hint: 'Set runners.kubernetes.image to the image that the conductor runs in.',
  });
}

/** A runner of another minor version may measure something else. */
async function checkK6(link: CarrierLink, there: string, { inputs }: RunnerLaunch, { minorHere }: PodContext): Promise<void> {
  const here = await minorHere(inputs.k6);
  if (here !== undefined && here !== minorOf(there)) throw otherVersion(link, `has k6 ${there}, where this one has ${here}`);
}

/** What of the backend's context pods share: its own k6 is asked once for its version, however many there are. */
export interface PodContext extends BackendContext {
  /** `2.2`; undefined where this k6 does not tell. */
  readonly minorHere: (k6: string) => Promise<string | undefined>;
}

/** The context of a run's pods. */
export function podContext(context: BackendContext): PodContext {
  let asked: Promise<string | undefined> | undefined;
  const ask = async (k6: string) => minorOf(/v(\d+\.\d+\S*)/.exec((await context.execute({ file: k6, args: ['version'] })).stdout)?.[1]);
  return {
    ...context,
    minorHere: (k6) => {
      asked ??= ask(k6);
      return asked;
    },
  };
}

const minorOf = (version: string | undefined) => /^\d+\.\d+/.exec(version ?? '')?.[0];

async function startAgent(link: CarrierLink, context: BackendContext): Promise<Agent> {
  const { file, args, stdin } = agentCommand(randomUUID().replaceAll('-', '').slice(0, 16));
  const stream = await opened(link, { command: [file, ...args], isAgent: true });
  const agent = await openAgent((hear) => carrierOf(stream, hear, stdin ?? ''), context);
  if ('folder' in agent) {
    void agent.ended.then(() => link.hangUp()); // whoever asks is told that the runner was given up
    return agent;
  }
  throw new LoadctlError('unavailable', `What looks after the runner of pod ${link.hello.pod} did not start (${howItEnded(agent)}).`, {
    hint: 'Its image needs a POSIX sh on its PATH; look at its log: kubectl logs',
  });
}

function carrierOf(stream: Duplex, hear: (line: string) => void, first: string): Carrier {
  eachLine(stream, hear);
  stream.on('error', () => {});
  stream.write(first);
  return {
    write: (said) => {
      if (stream.writable) stream.write(said);
    },
    kill: () => !stream.destroyed && stream.destroy().destroyed,
    ended: new Promise((resolve) => {
      stream.once('end', () => stream.destroy()).once('close', () => resolve({ error: 'EHOSTUNREACH' }));
    }),
  };
}

/** By its carrier: the `date` of small images knows whole seconds only. */
async function askPodClock(link: CarrierLink, agent: Agent, context: BackendContext): Promise<EpochMs | undefined> {
  const stream = await link.open({ clock: true }).catch(() => undefined);
  if (stream === undefined) return undefined;
  stream.on('error', () => {});
  void agent.ended.then(() => stream.destroy());
  const ask = async () => {
    if (!stream.writable) return undefined;
    stream.write('\n');
    const line = await readLine(stream);
    return line === undefined ? undefined : Number(line);
  };
  return askClock(ask, context).finally(() => stream.destroy());
}

/** By its control group, version 2 or 1: the kernel may kill k6 alone, and then its pod's status says nothing. */
async function wasShortOfMemory(link: CarrierLink, { clock }: BackendContext): Promise<boolean> {
  const stream = await link.open({ command: ['sh', '-c', `cat ${memoryEvents} 2>/dev/null`], isAgent: false }).catch(() => undefined);
  if (stream === undefined) return false;
  void clock.sleep(memoryMs).then(() => stream.destroy());
  return /^oom_kill [1-9]/m.test(await text(stream).catch(() => ''));
}

async function opened(link: CarrierLink, to: Parameters<CarrierLink['open']>[0]): Promise<Duplex> {
  return link.open(to).catch((cause: unknown) => {
    throw new LoadctlError('unavailable', `Lost the connection to pod ${link.hello.pod}.`, {
      cause,
      hint: 'Look at it: kubectl describe pod',
    });
  });
}

async function sendArchive(link: CarrierLink, agent: Agent, { inputs }: RunnerLaunch): Promise<string> {
  const path = `${agent.folder}/test.tar`;
  const { file, args } = receiveCommand(path, '600');
  const stream = await opened(link, { command: [file, ...args], isAgent: false });
  const [said] = await Promise.all([
    text(stream).catch(errorMessage),
    pipeline(createReadStream(inputs.archive), stream, { end: true }).catch(() => undefined),
  ]);
  if (sha256In(said) === inputs.archiveSha256) return path;
  throw new LoadctlError('unavailable', `The archive did not arrive whole in pod ${link.hello.pod}.`, {
    hint: 'Look at the room in its /tmp, and at the network; its image needs sha256sum, shasum or openssl.',
  });
}

/** Nothing where the connection is gone, and the runner lost with it: that is told already. */
async function bring(
  link: CarrierLink,
  there: string,
  { files, limitMs }: Wanted,
  { clock, privateFolder }: BackendContext,
): Promise<Brought> {
  try {
    const here = await mkdtemp(joinPath(await privateFolder(), 'runner-'));
    if (link.gone.aborted) return { from: here, troubles: [] };
    const mark = randomUUID();
    const receiver = receiveFiles(mark, files, here);
    const { file, args } = sayCommand(there, mark, files);
    const stream = await opened(link, { command: [file, ...args], isAgent: false });
    const over = new AbortController();
    void clock.sleep(limitMs, over.signal).then(() => over.signal.aborted || stream.destroy());
    const torn: string[] = [];
    // Not ended on this side before: Node throws away what a TLS socket has not read when both sides are over.
    try {
      for await (const piece of stream) if (!receiver.take(piece)) break;
    } catch (error) {
      torn.push(errorMessage(error)); // what came of it is told by the receiver
    }
    over.abort();
    const received = receiver.end();
    return {
      from: here,
      troubles:
        'problem' in received
          ? [`${link.hello.pod} ${received.problem} (asked: ${files.map(({ name }) => name).join(', ')})`, ...torn]
          : [],
    };
  } catch (error) {
    return { from: '', troubles: [errorMessage(error)] };
  }
}
