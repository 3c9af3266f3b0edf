import type { Command, Redis, RedisOptions } from 'ioredis';
import { interruptOf } from '../../../core/abort.js';
import type { Clock } from '../../../core/os.js';
import type { Milliseconds } from '../../../core/quantities.js';
import { callAfter } from '../../../core/timer.js';
import { type Address, addressText } from './address.js';
import { isRefusal } from './errors.js';
import { type Login, tlsFor } from './login.js';
import { inPieces, mostText, type Piece } from './pieces.js';
import type { Sealable } from './sealable.js';

/** A command as it is sent: its name, in capitals, and its arguments. */
export type Words = readonly [name: string, ...args: (string | Buffer | number)[]];

/** What one command came to; texts come as bytes. */
export type Reply = readonly [error: Error | null, value: unknown];

/** A connection to one server. Its errors are those of ioredis; see errors.ts. */
export interface RedisNode {
  readonly address: Address;
  /** host:port */
  readonly name: string;
  /** Whether the connection still stands. */
  isOpen(): boolean;
  /**
   * Sends commands in one round trip, or several where they or their answers are long; each comes to a reply, in their order. Never
   * throws. `answers`: how many bytes each may be answered with, where that is more than a few.
   */
  send(commands: readonly Words[], answers?: readonly (number | undefined)[]): Promise<readonly Reply[]>;
  /** Sends one command; throws its error. */
  ask(...words: Words): Promise<unknown>;
  /** Asks the server what it is. */
  greet(): Promise<ServerFacts>;
  close(): void;
}

/**
 * Called with each new connection before anything but its login is sent on it, and again before an answer of more than some kB is asked
 * for, with how many bytes that takes of the server's memory at most; throws where that is too much.
 */
export type FirstLook = (node: RedisNode, answerBytes: number) => Promise<void>;

/** What a server says of itself; nothing where it is a Redis before 6. */
export interface ServerFacts {
  readonly isCluster?: boolean;
  readonly isReplica?: boolean;
}

const connectTimeoutMs = 5000;

/** Connects to a server and logs in. */
export async function openNode(address: Address, login: Login, options: NodeOptions): Promise<RedisNode> {
  const { Redis: Client, Command: ClientCommand } = await import('ioredis');
  const client = new Client(optionsOf(address, login, options.label));
  // ioredis says only "Connection is closed." of a command, and why in an event.
  const { clock, late } = options;
  const line: Line = { client, Command: ClientCommand, clock, late, trouble: {} };
  client.on('error', (error: unknown) => {
    line.trouble.cause ??= error;
  });
  try {
    // Its own time limit ends with the TCP connection: a server that hangs greets nobody.
    await within(connectTimeoutMs, line, () => client.connect());
    const node = nodeOf(line, address, options.replyMs);
    await node.ask('PING');
    return node;
  } catch (error) {
    client.disconnect();
    throw reasonOf(error, line);
  }
}

/** How a server is spoken to. */
export interface NodeOptions {
  /** What the server shows of the connection. */
  readonly label: string;
  /** How long an answer may take. */
  readonly replyMs: Milliseconds;
  readonly clock: Clock;
  /** Aborts when no answer is waited for any more. */
  readonly late?: AbortSignal;
}

function nodeOf(line: Line, address: Address, replyMs: Milliseconds): RedisNode {
  const { client } = line;
  const exchange = async ({ commands }: Piece): Promise<Reply[]> => {
    const settled = await within(replyMs, line, () => sendAtOnce(line, commands));
    return settled.map((each) => (each.status === 'fulfilled' ? [null, each.value] : [reasonOf(each.reason, line), null]));
  };
  const send: RedisNode['send'] = async (commands, most) => {
    const replies: Reply[][] = [];
    const onTheirWay: { readonly bytes: number; readonly answered: Promise<Reply[]> }[] = [];
    const bytesOnTheirWay = () => onTheirWay.reduce((sum, { bytes }) => sum + bytes, 0);
    const takeFirst = async () => replies.push((await onTheirWay.shift()?.answered) ?? []);
    for (const piece of inPieces(commands, most)) {
      while (onTheirWay.length > 0 && bytesOnTheirWay() + piece.bytes > mostText) await takeFirst();
      onTheirWay.push({ bytes: piece.bytes, answered: exchange(piece) });
    }
    while (onTheirWay.length > 0) await takeFirst();
    return replies.flat();
  };
  return {
    address,
    name: addressText(address),
    isOpen: () => client.status === 'ready',
    send,
    async ask(...words) {
      const [reply] = await send([words]);
      if (reply?.[0]) throw reply[0];
      return reply?.[1];
    },
    async greet() {
      const [[error, answer] = [null, null]] = await send([['HELLO']]);
      if (error !== null && !isRefusal(error)) throw error;
      return readGreeting(answer);
    },
    close: () => client.disconnect(),
  };
}

/** Sends commands by one write. A pipeline of ioredis does the same, and makes three promises a command where this makes one. */
function sendAtOnce({ client, Command }: Line, commands: readonly Words[]): Promise<PromiseSettledResult<unknown>[]> {
  const texts: (string | Buffer)[] = [];
  const stream = { isPipeline: true as const, destination: { redis: client }, write: (text: string | Buffer) => texts.push(text) };
  const answers = commands.map(([name, ...args]) => {
    const command = new Command(name, args, { replyEncoding: null });
    client.sendCommand(command, stream);
    return command.promise;
  });
  const isText = texts.every((text) => typeof text === 'string');
  // Nothing is written where the connection is gone: the commands have failed.
  if (texts.length > 0) client.stream.write(isText ? texts.join('') : Buffer.concat(texts.map((text) => Buffer.from(text))));
  return Promise.allSettled(answers);
}

/** The same connection, which throws instead of asking anything once the signal has aborted. */
export function interruptible(node: RedisNode, signal: Sealable): RedisNode {
  const guarded =
    <Args extends unknown[], T>(work: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      signal.throwIfAborted();
      return work(...args);
    };
  return { ...node, send: guarded(node.send), ask: guarded(node.ask) };
}

/** A connection to a server, and what broke it as far as that is known. */
interface Line {
  readonly client: Redis;
  readonly Command: typeof Command;
  readonly clock: Clock;
  readonly late: AbortSignal | undefined;
  readonly trouble: { cause?: unknown };
}

/** One timer for all commands of a piece: one for each costs more than the command. Ends the connection when time is up, or once it is too late. */
async function within<T>(ms: Milliseconds, { client, clock, late, trouble }: Line, work: () => Promise<T>): Promise<T> {
  const hangUp = (cause: unknown) => {
    trouble.cause ??= cause;
    client.disconnect();
  };
  const answered = callAfter(clock, ms, () => hangUp(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
  const giveUp = () => hangUp(late && interruptOf(late));
  if (late?.aborted) giveUp();
  late?.addEventListener('abort', giveUp, { once: true });
  try {
    return await work();
  } finally {
    answered();
    late?.removeEventListener('abort', giveUp);
  }
}

/** An error of the server's own as it is; for one of the connection what broke it. */
function reasonOf(error: unknown, { trouble: { cause } }: Line): Error {
  const isReply = error instanceof Error && error.name === 'ReplyError';
  const reason = isReply ? error : (cause ?? error);
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** Every user may send HELLO, whatever the ACL. Its answer is a list of names and values. */
function readGreeting(answer: unknown): ServerFacts {
  const words = Array.isArray(answer) ? answer.map(String) : [];
  const after = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
  const [mode, role] = [after('mode'), after('role')];
  return {
    ...(mode === undefined ? {} : { isCluster: mode === 'cluster' }),
    ...(role === undefined ? {} : { isReplica: role !== 'master' }),
  };
}

function optionsOf(address: Address, { username, password, tls }: Login, label: string): Omit<RedisOptions, 'replyMapping'> {
  return {
    ...address,
    connectionName: label.replaceAll(' ', '-'),
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    keepAlive: 10_000,
    disconnectTimeout: 200,
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
    retryStrategy: () => null,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(tls ? { tls: tlsFor(address, tls) } : {}),
  };
}
