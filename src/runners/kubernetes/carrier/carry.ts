import { createServer } from 'node:net';
import { hostname } from 'node:os';
import type { TLSSocket } from 'node:tls';
import type { World } from '../../../core/os.js';
import { join } from '../link/join.js';
import { eachLine } from '../link/lines.js';
import { type Greeting, jsonIn, type Opening, openingIn, protocol, readLine } from '../link/wire.js';
import { type Conductor, carrierVariables, conductorIn, dial } from './dial.js';
import { type CarrierWorld, toAgent, toClock, toCommand, toPort, type Watched } from './streams.js';

/** A pod's network may take its time. */
const dials = { most: 60, pauseMs: 500 };

/** A conductor that has not had the agent started by then is gone. */
const silentStartMs = 60_000;

/** What a carrier is started with. */
export interface Carrying extends CarrierWorld, Pick<World, 'onInterrupt'> {
  readonly version: string;
}

/** How a carrier ends, by sysexits.h: the agent is gone, its pod tells it nothing, no conductor. */
const status = { over: 0, usage: 64, unreachable: 69 } as const;

/**
 * Carries a runner's lines between the one agent, which it starts, and the conductor, which it dials: the link of a runner on
 * Kubernetes (docs/decisions/0035). Resolves with its exit status when the agent or the conductor is gone.
 *
 *     conductor ◀── TLS, dialled from here ── carrier ──▶ the agent's stdin and stdout, k6's REST port, other commands
 *                                                ▲
 *                               k6's pushes, by a port of the pod's loopback
 */
export async function carry({ version, onInterrupt, ...world }: Carrying): Promise<number> {
  const { env, clock } = world;
  const conductor = conductorIn(env);
  if (conductor === undefined) return status.usage;
  const { pushPort, dialAhead } = await listenForPushes(conductor);
  const index = Number(env[carrierVariables.index]);
  const control = await firstDial(conductor, clock, { as: 'carrier', protocol, loadctl: version, index, pod: hostname(), pushPort });
  if (control === undefined) return status.unreachable;
  dialAhead();
  onInterrupt(() => void control.destroy()); // its pod is asked to end: load goes off at once, whoever asked
  const ask = async () => {
    const question = await dial(conductor, { as: 'question', index });
    const answer = await readLine(question);
    question.destroy();
    if (answer === undefined) throw new Error('the conductor has given this runner up');
  };
  return beTold(control, conductor, { ...world, ask });
}

/** Opens what the conductor asks for, until the agent or the conductor is gone. */
function beTold(control: TLSSocket, conductor: Conductor, world: Watched): Promise<number> {
  const streams = new Set<TLSSocket>();
  const gone = new AbortController();
  let agent: Promise<void> | undefined;
  const open = async ({ stream: id, to }: Opening): Promise<void> => {
    const stream = await dial(conductor, { as: 'stream', id });
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    if (gone.signal.aborted) stream.destroy();
    else if ('clock' in to) toClock(stream, world.clock);
    else if ('port' in to) toPort(stream, to.port);
    else if (to.isAgent) agent = toAgent(stream, to.command, world);
    else toCommand(stream, to.command, world.env);
    if (agent !== undefined) void agent.then(() => control.destroy());
  };
  eachLine(control, (line) => {
    const opening = openingIn(jsonIn(line));
    if (opening !== undefined) open(opening).catch(() => {}); // the conductor notices that it does not come
  });
  void world.clock.sleep(silentStartMs).then(() => {
    if (agent === undefined) control.destroy();
  });
  return new Promise((resolve) => {
    control.on('error', () => {}).once('end', () => control.destroy());
    control.once('close', () => {
      gone.abort();
      for (const stream of streams) stream.destroy();
      void Promise.resolve(agent).then(() => resolve(agent === undefined ? status.unreachable : status.over));
    });
  });
}

function hangUp(this: TLSSocket): void {
  this.destroy();
}

interface PushLine {
  readonly pushPort: number;
  /** Opens the connection of the first push now: 1,000 runners that all do so at the release are waited for, and their first pushes with them. */
  readonly dialAhead: () => void;
}

/** A port of this pod's loopback that leads to the conductor: what its runner measures goes there. */
function listenForPushes(conductor: Conductor): Promise<PushLine> {
  let ahead: Promise<TLSSocket | undefined> | undefined;
  const dialPush = async () => (await dial(conductor, { as: 'push' })).on('error', () => {});
  const nextLine = async () => {
    const dialled = ahead;
    ahead = undefined;
    const line = await dialled;
    return line === undefined || line.destroyed ? dialPush() : line.off('end', hangUp);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (push) => {
    push.on('error', () => {});
    nextLine().then(
      (stream) => join(push, stream),
      () => push.destroy(),
    );
  });
  const dialAhead = () => {
    ahead = dialPush().then(
      (line) => line.once('end', hangUp).resume(), // the conductor says nothing before a push: whoever is between may end it
      () => undefined,
    );
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ pushPort: typeof address === 'object' && address !== null ? address.port : 0, dialAhead });
    });
  });
}

async function firstDial(conductor: Conductor, { sleep }: CarrierWorld['clock'], greeting: Greeting): Promise<TLSSocket | undefined> {
  for (let attempt = 1; attempt <= dials.most; attempt += 1) {
    const socket = await dial(conductor, greeting).catch(() => undefined);
    if (socket !== undefined) return socket;
    await sleep(dials.pauseMs);
  }
  return undefined;
}
