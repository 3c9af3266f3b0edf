import type { IncomingHttpHeaders } from 'node:http';
import { howItEnded } from '../../core/ends.js';
import { LoadctlError } from '../../core/errors.js';
import { type JsonPath, jsonAt } from '../../core/json-path.js';
import type { ProcessEnd, World } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { redactUrl } from '../../core/secrets.js';
import type { Colour } from '../../core/stop.js';
import { within } from '../../core/timer.js';
import type { LiveLookUp } from '../../plan/target.js';
import { getOnce, noAnswer } from './web-request.js';

/** What a look-up needs. */
export interface LookUpMeans {
  readonly world: Pick<World, 'spawn' | 'clock' | 'env' | 'home'>;
  /** In which a command runs. */
  readonly folder: string;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

/** An answer that comes later than this is none. */
const answerMs: Milliseconds = 5000;
const mostBytes = 65_536;

/** Looks up which colour is live. Throws `refused` where that cannot be told: then none of the two may be loaded. */
export async function lookUpLive(live: LiveLookUp, means: LookUpMeans): Promise<Colour> {
  const { text, from } = live.url === undefined ? await askCommand(live.command ?? '', means) : await askUrl(live.url, live, means);
  const colour = text.trim().toLowerCase();
  if (colour === 'blue' || colour === 'green') return colour;
  throw untold(`${from} says ${shorten(text)}, which is neither blue nor green`, 'Make target.live return blue or green.');
}

interface Answer {
  readonly text: string;
  /** Where it came from, in words. */
  readonly from: string;
}

async function askUrl(url: string, { jsonPath, header }: LiveLookUp, { world, userAgent, signal }: LookUpMeans): Promise<Answer> {
  const asked = `GET ${redactUrl(url)}`;
  const ask = (limit: AbortSignal) =>
    readAnswer(url, { userAgent, signal: AbortSignal.any([signal, limit]), wantsBody: header === undefined });
  const answer = await within(world.clock, answerMs, ask).catch((error: unknown) => {
    throw signal.aborted ? interrupted() : untold(`${asked}: ${noAnswer(error)}`, 'Fix target.live in the profile, or what it asks.');
  });
  if (answer.status >= 300 && answer.status < 400)
    throw untold(`${asked} answered ${answer.status}, and a redirect is not followed`, 'Set target.live.url to the final URL.');
  if (answer.status < 200 || answer.status >= 400)
    throw untold(`${asked} answered ${answer.status}`, 'Fix target.live in the profile, or what it asks.');
  if (header !== undefined)
    return { text: [answer.headers[header.toLowerCase()] ?? ''].flat().join(', '), from: `the header ${header} of ${asked}` };
  return { text: inJson(answer.body, jsonPath ?? [], asked), from: `the answer of ${asked}` };
}

interface Reading {
  readonly userAgent: string;
  readonly signal: AbortSignal;
  readonly wantsBody: boolean;
}

async function readAnswer(
  url: string,
  { userAgent, signal, wantsBody }: Reading,
): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }> {
  const answer = await getOnce(url, { userAgent, signal });
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  if (!wantsBody) answer.destroy();
  else
    for await (const piece of answer) {
      pieces.push(piece);
      bytes += piece.byteLength;
      if (bytes > mostBytes) break; // what is left of it is not read: so long an answer is not JSON then
    }
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces).toString() };
}

function inJson(body: string, path: JsonPath, asked: string): string {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    throw untold(
      `the answer of ${asked} is not JSON: ${shorten(body)}`,
      'Set target.live.url to a URL that answers with JSON, or use `header`.',
    );
  }
  const value = jsonAt(document, path);
  if (typeof value === 'string') return value;
  throw untold(`the answer of ${asked} has no text at target.live.jsonPath: ${shorten(body)}`, 'Fix target.live.jsonPath in the profile.');
}

/** By stdin, as arguments are everybody's to read and a command may hold a secret. */
const runStdin = ['-c', 'eval "$(cat)"'];

async function askCommand(command: string, { world, folder, signal }: LookUpMeans): Promise<Answer> {
  const said: string[] = [];
  const complained: string[] = [];
  const env = { PATH: world.env.PATH ?? '/usr/local/bin:/usr/bin:/bin', HOME: world.home };
  const child = world.spawn(
    { file: 'sh', args: runStdin, stdin: command, cwd: folder, env },
    { ownGroup: true, stdout: (line) => said.push(line), stderr: (line) => complained.push(line) },
  );
  const done = new AbortController();
  const late = world.clock.sleep(answerMs, AbortSignal.any([signal, done.signal])).then(() => 'late' as const);
  const end = await Promise.race([child.ended, late]);
  done.abort();
  if (end === 'late') {
    child.kill('SIGKILL');
    if (signal.aborted) throw interrupted();
    throw untold(`target.live.command did not answer within ${answerMs / 1000} s`, 'Make it faster, or use a URL instead.');
  }
  if (end.exitCode !== 0) throw commandFailed(end, complained);
  return { text: said.join('\n'), from: 'target.live.command' };
}

function commandFailed(end: ProcessEnd, complained: readonly string[]): LoadctlError {
  const why = complained[0] === undefined ? '' : `: ${complained[0]}`;
  return untold(`target.live.command failed (${howItEnded(end)})${why}`, 'Fix the command; it runs in the folder of the profile.');
}

function untold(why: string, fix: string): LoadctlError {
  return new LoadctlError('refused', `Cannot determine the live colour: ${why}.`, { hint: fix });
}

function interrupted(): LoadctlError {
  return new LoadctlError('interrupted', 'Interrupted while the live colour was looked up; nothing was loaded.');
}

function shorten(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line === '' ? 'nothing' : JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}
