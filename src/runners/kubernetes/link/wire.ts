import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';

/** How a carrier and its conductor understand each other: another number is another language. */
export const protocol = 1;

/** Who says that it belongs to the run; the key proves it. */
export const identity = 'loadctl';

/**
 * A key of the run in the place of certificates: nobody has to make, mount and trust any. Node's PSK is TLS 1.2 at most; ECDHE
 * keeps what was said secret even from who learns the key later.
 */
export const keyed = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
} as const satisfies SecureContextOptions;

/**
 * The first line of every connection, all of which a carrier dials: its own, on which it is then told what to open; what it was
 * told to open; what its runner pushes; and, where all is silent, one on which it only asks whether the conductor is still there.
 */
export type Greeting =
  | ({ readonly as: 'carrier' } & Hello)
  | { readonly as: 'stream'; readonly id: string }
  | { readonly as: 'push' }
  | { readonly as: 'question'; readonly index: number };

/** What a carrier says of itself. */
export interface Hello {
  readonly protocol: number;
  /** The version of its loadctl. */
  readonly loadctl: string;
  /** Which of the Job's pods it is in, from 0 on. */
  readonly index: number;
  /** The name of its pod. */
  readonly pod: string;
  /** The port of its loopback that leads to the conductor. */
  readonly pushPort: number;
}

/** What a carrier is told, a line each: to open a stream to a port of its loopback, to a command, or to its clock: it answers each line with the time. */
export interface Opening {
  readonly stream: string;
  readonly to: { readonly clock: true } | { readonly port: number } | { readonly command: readonly string[]; readonly isAgent: boolean };
}

const longestLine = 4096;
const newline = 0x0a;

/** Reads the first line and leaves the rest in the stream; undefined where none comes, or no end of one. */
export function readLine(stream: Duplex): Promise<string | undefined> {
  return new Promise((resolve) => {
    let read: Buffer = Buffer.alloc(0);
    const done = (line: string | undefined) => {
      stream.off('readable', look).off('end', none).off('close', none);
      resolve(line);
    };
    const none = () => done(undefined);
    const look = () => {
      const piece: Buffer | null = stream.read();
      if (piece === null) return;
      read = Buffer.concat([read, piece]);
      const end = read.indexOf(newline);
      if (end === -1 && read.length > longestLine) return none();
      if (end === -1) return;
      if (end + 1 < read.length) stream.unshift(read.subarray(end + 1));
      done(read.toString('utf8', 0, end));
    };
    stream.on('readable', look).on('end', none).on('close', none);
  });
}

/** What a line holds as JSON, if it is an object. */
export function jsonIn(line: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** What a carrier is told to open; undefined for what it does not understand. */
export function openingIn(told: Record<string, unknown> | undefined): Opening | undefined {
  const to = typeof told?.to === 'object' && told.to !== null ? { ...told.to } : undefined;
  if (typeof told?.stream !== 'string' || to === undefined) return undefined;
  if ('clock' in to) return { stream: told.stream, to: { clock: true } };
  if ('port' in to && typeof to.port === 'number') return { stream: told.stream, to: { port: to.port } };
  if (!('command' in to && Array.isArray(to.command))) return undefined;
  return { stream: told.stream, to: { command: to.command.map(String), isAgent: 'isAgent' in to && to.isAgent === true } };
}

/** Who dialled, by its first line; undefined for one that is no greeting. */
export function greetingIn(line: string | undefined): Greeting | undefined {
  const { as, id, ...said } = jsonIn(line) ?? {};
  if (as === 'push') return { as };
  if (as === 'question') return { as, index: Number(said.index) };
  if (as === 'stream' && typeof id === 'string') return { as, id };
  if (as !== 'carrier') return undefined;
  return {
    as,
    protocol: Number(said.protocol),
    loadctl: String(said.loadctl),
    index: Number(said.index),
    pod: String(said.pod),
    pushPort: Number(said.pushPort),
  };
}
