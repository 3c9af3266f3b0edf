import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { createServer, type TLSSocket } from 'node:tls';
import type { Clock } from '../../../core/os.js';
import { greetingIn, type Hello, identity, keyed, type Opening, readLine } from './wire.js';

const openMs = 15_000;
/** Node's own 511 are too few for 1,000 pods that open streams at once: who is turned away knocks again a second later. */
const backlog = 4096;

/** What a conductor has of one runner's carrier. */
export interface CarrierLink {
  readonly hello: Hello;
  /** A stream to a port of the pod's loopback, or to a command there. Rejects where none comes about. */
  open(to: Opening['to']): Promise<Duplex>;
  /** Aborted when the carrier is gone, or was hung up on. */
  readonly gone: AbortSignal;
  hangUp(): void;
}

/** Where the carriers of a run dial in. */
export interface Switchboard {
  readonly port: number;
  /** Resolves with the carrier of the pod with this index when it is there. */
  carrier(index: number): Promise<CarrierLink>;
  close(): void;
}

/** What opening one takes. */
export interface SwitchboardMeans {
  /** The address that pods reach this process by. */
  readonly host: string;
  readonly key: Buffer;
  /** Takes a connection by which a runner pushes. */
  readonly takePush: (connection: TLSSocket) => void;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Listens for carriers. Whoever does not have the run's key gets no word in. */
export async function openSwitchboard({ host, key, takePush, clock }: SwitchboardMeans): Promise<Switchboard> {
  const carriers = new Map<number, Arrival>();
  const streams = new Map<string, (stream: TLSSocket) => void>();
  const sockets = new Set<TLSSocket>();
  const arrivalOf = (index: number) => {
    const known = carriers.get(index) ?? arrival();
    carriers.set(index, known);
    return known;
  };
  const greet = async (socket: TLSSocket) => {
    const greeting = greetingIn(await readLine(socket));
    if (greeting?.as === 'push') takePush(socket);
    else if (greeting?.as === 'stream') (streams.get(greeting.id) ?? hangUp)(socket);
    else if (greeting?.as === 'question' && carriers.get(greeting.index)?.isThere()) socket.end('\n');
    else if (greeting?.as === 'carrier') arrivalOf(greeting.index).arrive(linkTo(socket, greeting, { streams, clock }));
    else socket.destroy();
  };
  const server = createServer({ ...keyed, allowHalfOpen: true, pskCallback: (_, name) => (name === identity ? key : null) }, (socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    void greet(socket);
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host, backlog }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    port,
    carrier: (index) => arrivalOf(index).arrived,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const hangUp = (socket: TLSSocket) => void socket.destroy();

interface Arrival {
  /** Whether it came, and is not given up. */
  readonly isThere: () => boolean;
  readonly arrived: Promise<CarrierLink>;
  readonly arrive: (link: CarrierLink) => void;
}

/** A pod has one carrier: who comes second under its number is sent away. */
function arrival(): Arrival {
  let known: CarrierLink | undefined;
  let resolve: (link: CarrierLink) => void = () => {};
  const arrived = new Promise<CarrierLink>((done) => {
    resolve = done;
  });
  const arrive = (link: CarrierLink) => {
    if (known !== undefined) return link.hangUp();
    known = link;
    resolve(link);
  };
  return { arrived, arrive, isThere: () => known !== undefined && !known.gone.aborted };
}

interface Waiting {
  readonly streams: Map<string, (stream: TLSSocket) => void>;
  readonly clock: Pick<Clock, 'sleep'>;
}

function linkTo(control: TLSSocket, hello: Hello, { streams, clock }: Waiting): CarrierLink {
  const gone = new AbortController();
  control.once('close', () => gone.abort());
  control.once('end', () => control.destroy()).resume();
  const open: CarrierLink['open'] = async (to) => {
    const id = randomBytes(16).toString('hex');
    const come = new AbortController();
    const coming = new Promise<Duplex>((resolve) => streams.set(id, resolve));
    control.write(`${JSON.stringify({ stream: id, to } satisfies Opening)}\n`);
    const late = clock.sleep(openMs, AbortSignal.any([come.signal, gone.signal])).then(() => undefined);
    const stream = await Promise.race([coming, late]);
    streams.delete(id);
    come.abort();
    if (stream === undefined) throw new Error(`pod ${hello.pod} opened no stream`);
    return stream;
  };
  return { hello, open, gone: gone.signal, hangUp: () => void control.destroy() };
}
