import { errorCode, errorMessage, LoadctlError } from '../../core/errors.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { within } from '../../core/timer.js';
import { splitLogin } from '../../core/url-login.js';
import { placeOf, placeText } from '../../plan/hosts.js';

/** How URLs are asked: with a token, or what their user info says. */
export interface Asking {
  readonly token?: string | undefined;
  readonly label: string;
  readonly timeout: Milliseconds;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** What a question is besides its URL. */
export interface Question {
  /** What answers says in JSON what is wrong with a question: Prometheus, with a status of 400. */
  readonly explains?: true;
  /** A form to be posted. */
  readonly form?: Readonly<Record<string, string>>;
}

/** Asks URLs; throws `unavailable` for an answer that is none, with where it came from and never the URL's secrets. */
export interface Asker {
  text(url: string, question?: Question): Promise<string>;
  json(url: string, question?: Question): Promise<unknown>;
}

const mostBytes = 16_000_000;
/** The first answer may take so long, as a first look may: names are looked up for it, and connections made. */
const firstAnswerMs: Milliseconds = 10_000;

/** An {@link Asker} that nobody has answered yet. */
export function asker(asking: Asking): Asker {
  let isKnown = false;
  const text = async (url: string, question: Question = {}) => {
    const timeout = isKnown ? asking.timeout : Math.max(asking.timeout, firstAnswerMs);
    const answer = await askUrl(url, { ...asking, ...question, timeout });
    isKnown = true;
    return answer;
  };
  return { text, json: async (url, question) => jsonIn(await text(url, question), url) };
}

async function askUrl(url: string, asked: Asking & Question): Promise<string> {
  const place = placeText(placeOf(url));
  try {
    const { answer, text } = await within(asked.clock, asked.timeout, (signal) => answerOf(url, asked, signal));
    if (answer.status === 401 || answer.status === 403) throw refused(place, answer.status);
    if (!answer.ok && !(asked.explains && isJson(answer))) throw odd(place, `status ${answer.status}`);
    return text;
  } catch (error) {
    if (error instanceof LoadctlError) throw error;
    throw unreachable(place, error);
  }
}

async function answerOf(url: string, { token, label, form }: Asking & Question, signal: AbortSignal) {
  const { plain, authorization: login } = splitLogin(url);
  const authorization = token === undefined ? login : `Bearer ${token}`;
  const answer = await fetch(plain, {
    headers: { 'user-agent': label, ...(authorization === undefined ? {} : { authorization }) },
    // Another host was not agreed to.
    redirect: 'manual',
    signal,
    ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
  });
  return { answer, text: await readAll(answer) };
}

function jsonIn(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const what = /^\s*</.test(text) ? 'HTML' : 'something else';
    throw odd(placeText(placeOf(url)), `${what}, not JSON`);
  }
}

async function readAll(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of answer.body ?? []) {
    bytes += piece.length;
    if (bytes > mostBytes) throw new Error('its answer does not end');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function isJson({ headers }: Response): boolean {
  return headers.get('content-type')?.includes('json') ?? false;
}

function refused(place: string, status: number): LoadctlError {
  return new LoadctlError('unavailable', `${place} answered ${status}`, {
    hint: 'Correct the token, or the user and password in the URL.',
  });
}

/** The error for an answer that makes no sense here. */
export function odd(place: string, what: string, hint = 'Correct the URL of the monitor.'): LoadctlError {
  return new LoadctlError('unavailable', `${place} answered ${what}`, { hint });
}

function unreachable(place: string, error: unknown): LoadctlError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  const why = isLate ? 'no answer in time' : (errorCode(cause) ?? errorMessage(cause));
  const hint = untrusted.test(why)
    ? 'Name the authority of its certificate: NODE_EXTRA_CA_CERTS=FILE in the environment of loadctl.'
    : 'Start it, or correct the URL of the monitor.';
  return new LoadctlError('unavailable', `${place}: ${why}`, { hint, cause: error });
}

/** OpenSSL's names for a certificate that nobody known has signed. */
const untrusted = /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)/;
