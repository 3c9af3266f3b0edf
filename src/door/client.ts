import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { LoadctlError } from '../core/errors.js';
import type { Clock } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import { callAfter } from '../core/timer.js';
import { type Answer, type DoorState, doorPaths, type FileList, hashHeader, type StopWish, sha256Of, tokenHeader } from './protocol.js';

/** The way to a door: a new connection, or the error that keeps it from being made. */
export type Dial = () => Promise<Duplex>;

/** The door could not be reached, or a connection to it broke: it may be reached later on. */
export class DoorAway extends Error {}

/** A conductor's door, from outside. Every call throws {@link DoorAway} where it cannot be reached. */
export interface DoorClient {
  state(): Promise<DoorState>;
  /** Throws `unavailable` where the conductor does not take it; what arrived damaged counts as {@link DoorAway}: sent again, it may be whole. */
  handIn(tar: Buffer, token: string): Promise<void>;
  stop(wish: StopWish): Promise<void>;
  answer(answer: Answer): Promise<void>;
  /** The bytes of the lines of events from number `from` on, as they come; undefined where there are no more. */
  events(from: number): Promise<AsyncIterable<Buffer> | undefined>;
  files(): Promise<FileList>;
  /** The bytes of a file from `from` on: one of the run directory, or of what is remembered. */
  file(path: string, from: number, kind?: 'files' | 'remembered'): Promise<AsyncIterable<Buffer>>;
  /** Says that all of a list was copied. */
  collected(sha256: string): Promise<void>;
}

/** Longer than this a door does not keep silent: it has an end of its answer to tell every few seconds. */
const silenceMs: Milliseconds = 30_000;
/** What is sent gets this much more time, as on a slow line. */
const msPerMebibyte: Milliseconds = 4000;
/** What a door says of something that was damaged on its way. */
const damaged = 400;

interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Opens a client of the door that `dial` leads to. */
export function doorClient(dial: Dial, clock: Pick<Clock, 'sleep'>): DoorClient {
  const ask = async (what: Ask) => askDoor(await connected(dial), what, clock);
  const get = (path: string, headers: Record<string, string> = {}) => ask({ method: 'GET', path, headers });
  const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) => ask({ method: 'POST', path, body, headers });
  return {
    state: async () => jsonOf<DoorState>(await get(doorPaths.state), clock),
    handIn: async (tar, token) => {
      const headers = { [tokenHeader]: token, [hashHeader]: sha256Of(tar) };
      drained(await post(doorPaths.handIn, tar, headers).catch(again));
    },
    stop: async (wish) => drained(await post(doorPaths.stop, JSON.stringify(wish))),
    answer: async (answer) => drained(await post(doorPaths.answer, JSON.stringify(answer))),
    events: async (from) => {
      const answer = await get(`${doorPaths.events}?from=${from}`);
      if (answer.statusCode !== 204) return piecesOf(answer, clock);
      drained(answer);
      return undefined;
    },
    files: async () => jsonOf<FileList>(await get(doorPaths.files), clock),
    file: async (path, from, kind = 'files') => {
      const way = path.split('/').map(encodeURIComponent).join('/');
      return piecesOf(await get(`${doorPaths[kind]}/${way}`, from === 0 ? {} : { range: `bytes=${from}-` }), clock);
    },
    collected: async (sha256) => drained(await post(doorPaths.collected, sha256)),
  };
}

/** A connection that holds; one that breaks when its answer is over already is nobody's concern. */
async function connected(dial: Dial): Promise<Duplex> {
  const connection = await dial().catch(away);
  if (connection.destroyed) throw new DoorAway(connection.errored?.message ?? 'the connection broke at once');
  return connection.on('error', () => undefined);
}

/** The conductor's refusal, with the status of its answer. */
class Refused extends LoadctlError {
  readonly status: number;

  constructor(status: number, message: string) {
    super('unavailable', message, { hint: 'Use the image of the same version as this loadctl (runners.kubernetes.image).' });
    this.status = status;
  }
}

function again(error: unknown): never {
  if (error instanceof Refused && error.status === damaged) throw new DoorAway(error.message, { cause: error });
  throw error;
}

/** One request over a connection of its own. Throws `unavailable` for an answer that is no success. */
async function askDoor(
  connection: Duplex,
  { method, path, headers = {}, body }: Ask,
  clock: Pick<Clock, 'sleep'>,
): Promise<IncomingMessage> {
  const bytes = body === undefined ? 0 : Buffer.byteLength(body);
  const length = body === undefined ? {} : { 'content-length': bytes };
  const limitMs = silenceMs + Math.ceil(bytes / 2 ** 20) * msPerMebibyte;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({
      method,
      path,
      headers: { ...headers, ...length, host: 'conductor', connection: 'close' },
      createConnection: () => connection,
    });
    const callOff = callAfter(clock, limitMs, () =>
      asked.destroy(new DoorAway(`no answer to ${method} ${path} within ${limitMs / 1000} s`)),
    );
    asked.once('response', resolve).once('error', reject).once('close', callOff).end(body);
    asked.once('response', callOff);
  }).catch(away);
  if ((answer.statusCode ?? 0) < 300) return answer;
  const said = (await textOf(answer, clock)).trim();
  throw new Refused(answer.statusCode ?? 0, `The conductor answered ${answer.statusCode} to ${method} ${path}: ${said}.`);
}

/** What an answer brings; one that falls silent, or breaks off, throws {@link DoorAway}. */
async function* piecesOf(answer: IncomingMessage, clock: Pick<Clock, 'sleep'>): AsyncGenerator<Buffer> {
  const silence = () => callAfter(clock, silenceMs, () => answer.destroy(new DoorAway(`silent for ${silenceMs / 1000} s`)));
  let callOff = silence();
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      callOff();
      yield piece;
      callOff = silence();
    }
  } catch (error) {
    away(error);
  } finally {
    callOff();
  }
}

async function textOf(answer: IncomingMessage, clock: Pick<Clock, 'sleep'>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of piecesOf(answer, clock)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function jsonOf<T>(answer: IncomingMessage, clock: Pick<Clock, 'sleep'>): Promise<T> {
  const text = await textOf(answer, clock);
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    return away(error);
  }
}

/** What is taken counts; the rest of an answer does not. */
function drained(answer: IncomingMessage): void {
  answer.destroy();
}

function away(cause: unknown): never {
  if (cause instanceof DoorAway || cause instanceof LoadctlError) throw cause;
  throw new DoorAway(cause instanceof Error ? cause.message : String(cause), { cause });
}
