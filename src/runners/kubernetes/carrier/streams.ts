import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Clock } from '../../../core/os.js';
import { join } from '../link/join.js';
import { eachLine } from '../link/lines.js';

/**
 * So many ticks without a word from the conductor are its end. A machine that stood still has missed none. Before that it is asked
 * by connections of their own: what TCP lost in a short cut it sends again only after twice the time of the cut.
 */
const silence = { tickMs: 500, asks: 3, ticks: 6 };
const newline = 0x0a;
/** An agent whose stdin has ended has ended every k6 by then, or never will. */
const lastMs = 1400;

/** What a carrier has of its pod. */
export interface CarrierWorld {
  /** A command gets those of its variables that it cannot do without. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'sleep' | 'stamp'>;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Lets a stream lead to a port of this pod's loopback. */
export function toPort(stream: Duplex, port: number): void {
  join(stream, connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }));
}

/** Lets a stream tell the time, for each line that is written to it: milliseconds of the wall clock, as the pod's k6 reads it. */
export function toClock(stream: Duplex, clock: Pick<Clock, 'stamp'>): void {
  stream.on('error', () => {}).once('end', () => stream.end());
  eachLine(stream, () => stream.write(`${clock.stamp()}\n`));
}

/** Lets a stream be the stdin and stdout of a command. */
export function toCommand(stream: Duplex, command: readonly string[], env: CarrierWorld['env']): void {
  const child = start(stream, command, env);
  stream.once('close', () => child.kill('SIGKILL'));
}

/** What an agent's stream has to do with the conductor. */
export interface Watched extends CarrierWorld {
  /** Asks the conductor, by a new connection, whether it is there; rejects where no answer comes. */
  readonly ask: () => Promise<void>;
}

/**
 * The same of the agent: it is ended when the stream is gone or silent, which is what keeps load from going on unwatched; by its
 * stdin, and where it does not heed that by force. Resolves when it is gone.
 */
export function toAgent(stream: Duplex, command: readonly string[], { env, clock, ask }: Watched): Promise<void> {
  const child = start(stream, command, env);
  const over = new AbortController();
  stream.once('close', () => {
    over.abort();
    child.stdin.end();
    void clock.sleep(lastMs).then(() => child.kill('SIGKILL'));
  });
  void hangUpInSilence(stream, child.stdin, { clock, ask, over: over.signal });
  return new Promise((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
}

interface Listening extends Pick<Watched, 'clock' | 'ask'> {
  readonly over: AbortSignal;
}

async function hangUpInSilence(stream: Duplex, agent: Writable, { clock, ask, over }: Listening): Promise<void> {
  let silent = 0;
  let isBetweenLines = true;
  stream.on('data', (piece: Buffer) => {
    silent = 0;
    isBetweenLines = piece.at(-1) === newline;
  });
  const answered = () => {
    silent = 0;
    if (isBetweenLines && agent.writable) agent.write('\n'); // a beat: the agent counts for itself
  };
  while (!over.aborted && silent < silence.ticks) {
    await clock.sleep(silence.tickMs, over);
    silent += 1;
    if (silent >= silence.asks) ask().then(answered, () => {});
  }
  stream.destroy();
}

function start(stream: Duplex, [file = '', ...args]: readonly string[], { PATH, HOME, TMPDIR }: CarrierWorld['env']): Child {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH, HOME, TMPDIR } });
  stream.on('error', () => {}); // `close` follows
  child.stdin.on('error', () => {}); // it ended, and did not read all
  child.once('error', () => stream.destroy()); // there is no such command
  stream.pipe(child.stdin);
  child.stdout.pipe(stream);
  return child;
}
