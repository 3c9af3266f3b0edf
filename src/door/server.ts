import { timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import { callAfter } from '../core/timer.js';
import type { EventLog } from './event-log.js';
import {
  type Answer,
  type DoorState,
  doorPaths,
  type FileList,
  hashHeader,
  type ListedFile,
  maxHandInBytes,
  type StopWish,
  sha256Of,
  tokenHeader,
} from './protocol.js';
import { rangeOf } from './run-files.js';

/** What stands behind a door. */
export interface Conductor {
  readonly clock: Pick<Clock, 'sleep'>;
  state(): DoorState;
  readonly events: EventLog;
  /** The SHA-256 of the token that a hand-in needs, in hex. */
  readonly tokenSha256: string;
  /** How long one answer follows the events. */
  followMs(): Milliseconds;
  /** A piece of the hand-in is here. */
  handingIn(): void;
  /** Takes the one hand-in; throws what is wrong with it, and another may come. */
  take(tar: Buffer): Promise<void>;
  /** Somebody follows the events. */
  followed(): void;
  stop(wish: StopWish): Promise<void>;
  /** Takes the answer to a question; one that is settled needs none. */
  answer(answer: Answer): void;
  /** What can be copied; undefined while the run goes on. */
  files(): Promise<Copyable | undefined>;
  collected(): void;
}

/** What can be copied, and where it lies. */
interface Copyable {
  readonly directory: string;
  /** The folder of what is remembered. */
  readonly memory: string;
  readonly list: FileList;
}

/** A door that is open. */
export interface Door {
  /** Its port on loopback. */
  readonly port: number;
  close(): Promise<void>;
}

const maxWishBytes = 64 * 1024;
const host = '127.0.0.1';

/** An answer that is no success. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Opens a conductor's door on a port of loopback; 0: any that is free. Rejects with the system's error where it is taken. */
export async function openDoor(port: number, conductor: Conductor): Promise<Door> {
  const entry = handInEntry(conductor);
  // A large hand-in on a slow line takes as long as it takes.
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    answer(request, response, conductor, entry).catch((error: unknown) => refuse(request, response, error));
  });
  const open = await listen(server, port);
  return {
    port: open,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Entry = (request: IncomingMessage) => Promise<number>;

async function answer(request: IncomingMessage, response: ServerResponse, conductor: Conductor, entry: Entry): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${host}`);
  const asked = `${request.method} ${url.pathname}`;
  switch (asked) {
    case `GET ${doorPaths.state}`:
      return sendJson(response, conductor.state());
    case `POST ${doorPaths.handIn}`:
      return void response.writeHead(await entry(request)).end();
    case `GET ${doorPaths.events}`:
      return sendEvents(url.searchParams.get('from') ?? '', response, conductor);
    case `POST ${doorPaths.stop}`:
      await conductor.stop(wishIn(await bodyOf(request, maxWishBytes)));
      return void response.writeHead(202).end();
    case `POST ${doorPaths.answer}`:
      conductor.answer(answerIn(await bodyOf(request, maxWishBytes)));
      return void response.writeHead(204).end();
    case `GET ${doorPaths.files}`:
      return sendJson(response, (await filesOf(conductor)).list);
    case `POST ${doorPaths.collected}`:
      await collect(await bodyOf(request, maxWishBytes), conductor);
      return void response.writeHead(204).end();
  }
  const below = [doorPaths.files, doorPaths.remembered].find((path) => asked.startsWith(`GET ${path}/`));
  if (below === undefined) throw new Refusal(404, `no ${asked}`);
  const { directory, memory, list } = await filesOf(conductor);
  const [folder, files] = below === doorPaths.files ? [directory, list.files] : [memory, list.remembered ?? []];
  return sendFile(decodeURIComponent(url.pathname.slice(below.length + 1)), { folder, files }, request, response);
}

/** Takes one hand-in. Whoever did not hear the answer may send the same again, and hears what became of the first. */
function handInEntry(conductor: Conductor): Entry {
  let taken: { readonly sha256: string; readonly taking: Promise<void> } | undefined;
  return async (request) => {
    if (!sameHash(sha256Of(String(request.headers[tokenHeader] ?? '')), conductor.tokenSha256)) throw new Refusal(401, 'wrong token');
    const tar = await bodyOf(request, maxHandInBytes, () => conductor.handingIn());
    const sha256 = sha256Of(tar);
    if (!sameHash(sha256, String(request.headers[hashHeader] ?? '')))
      throw new Refusal(400, 'damaged on its way: its SHA-256 is another one');
    const isFirst = taken === undefined;
    taken ??= { sha256, taking: conductor.take(tar) };
    if (taken.sha256 !== sha256) throw new Refusal(409, 'handed in already');
    try {
      await taken.taking;
    } catch (error) {
      taken = undefined;
      throw new Refusal(422, error instanceof Error ? error.message : String(error));
    }
    return isFirst ? 202 : 200;
  };
}

async function sendEvents(from: string, response: ServerResponse, conductor: Conductor): Promise<void> {
  if (!/^\d{1,15}$/.test(from)) throw new Refusal(400, 'from is not the number of an event');
  conductor.followed();
  const { events } = conductor;
  const over = new AbortController();
  const callOff = callAfter(conductor.clock, conductor.followMs(), () => over.abort());
  response.once('close', () => over.abort());
  try {
    const lines = events.read(Number(from), over.signal);
    if (events.ended) {
      const first = await lines.next();
      if (first.done === true) return void response.writeHead(204).end();
      response.writeHead(200).write(first.value);
    } else response.writeHead(200).flushHeaders();
    await pipeline(Readable.from(lines), response);
  } finally {
    callOff();
  }
}

function wishIn(body: Buffer): StopWish {
  const wish = parsed(body) as { signal?: unknown; by?: { user?: unknown; host?: unknown } | null } | null;
  if (wish?.signal === 'SIGINT' || wish?.signal === 'SIGTERM') return { signal: wish.signal };
  const { user, host: machine } = wish?.by ?? {};
  if (typeof user === 'string' && typeof machine === 'string') return { by: { user, host: machine } };
  throw new Refusal(400, 'neither a signal nor who asks');
}

function answerIn(body: Buffer): Answer {
  const { question, text } = (parsed(body) ?? {}) as { question?: unknown; text?: unknown };
  if (typeof question === 'number' && (typeof text === 'string' || text === null)) return { question, text };
  throw new Refusal(400, 'neither an answer nor none');
}

async function filesOf(conductor: Conductor) {
  const found = await conductor.files();
  if (found !== undefined) return found;
  throw new Refusal(409, 'the run is not over');
}

async function sendFile(
  path: string,
  { folder, files }: { readonly folder: string; readonly files: readonly ListedFile[] },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const file = files.find((one) => one.path === path);
  if (file === undefined) throw new Refusal(404, `no file ${path}`);
  const { range: asked } = request.headers;
  if (file.size === 0 && asked === undefined) return void response.writeHead(200, { 'content-length': 0 }).end();
  const range = rangeOf(asked, file.size);
  if (range === undefined) throw new Refusal(416, `${path} has ${file.size} bytes`);
  const { from, to } = range;
  response.writeHead(asked === undefined ? 200 : 206, {
    'content-length': to - from + 1,
    ...(asked === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${file.size}` }),
  });
  await pipeline(createReadStream(join(folder, path), { start: from, end: to }), response);
}

async function collect(body: Buffer, conductor: Conductor): Promise<void> {
  const { list } = await filesOf(conductor);
  if (!sameHash(body.toString(), list.sha256)) throw new Refusal(409, 'not the SHA-256 of the list of all files');
  conductor.collected();
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Who is turned away with a body that is not read loses the connection: the rest is not waited for. */
function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || !(error instanceof Refusal)) return void response.destroy();
  const text = `${error.message}\n`;
  if (request.complete) return void response.writeHead(error.status).end(text);
  response.writeHead(error.status, { connection: 'close' }).end(text, () => request.destroy());
}

/** One of a known length is read into one piece of memory: a conductor has little. */
async function bodyOf(request: IncomingMessage, most: number, heard: () => void = () => {}): Promise<Buffer> {
  const tooLarge = new Refusal(413, `more than ${most} bytes`);
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > most) throw tooLarge;
  let whole = Buffer.allocUnsafe(length);
  let size = 0;
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    heard();
    if (size + piece.length > most) throw tooLarge;
    if (size + piece.length > whole.length) whole = Buffer.concat([whole.subarray(0, size), piece]);
    else piece.copy(whole, size);
    size += piece.length;
  }
  return whole.subarray(0, size);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Refusal(400, 'not JSON');
  }
}

/** Compares in a time that does not depend on where two hashes differ. */
function sameHash(one: string, other: string): boolean {
  const [bytes, others] = [Buffer.from(one), Buffer.from(other)];
  return bytes.length === others.length && timingSafeEqual(bytes, others);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
