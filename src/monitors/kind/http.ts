import { errorCode, errorMessage, LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { splitLogin } from '../../core/url-login.js';
import { placeOf, placeText } from '../../plan/hosts.js';

/** How a URL is asked: with a token, or what its user info says. */
export interface Asking {
  readonly token?: string | undefined;
  readonly label: string;
  readonly timeout: Milliseconds;
  /** What answers says in JSON what is wrong with a question: Prometheus, with a status of 400. */
  readonly explains?: true;
  /** A form to be posted. */
  readonly form?: Readonly<Record<string, string>>;
}

const mostBytes = 16_000_000;

/** What a URL answers. Throws `unavailable` for an answer that is none, with where it came from and never the URL's secrets. */
export async function askUrl(url: string, { token, label, timeout, explains, form }: Asking): Promise<string> {
  const place = placeText(placeOf(url));
  const { plain, authorization: login } = splitLogin(url);
  const authorization = token === undefined ? login : `Bearer ${token}`;
  try {
    const answer = await fetch(plain, {
      headers: { 'user-agent': label, ...(authorization === undefined ? {} : { authorization }) },
      // Another host was not agreed to.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    const text = await readAll(answer);
    if (answer.status === 401 || answer.status === 403) throw refused(place, answer.status);
    if (!answer.ok && !(explains && isJson(answer))) throw odd(place, `status ${answer.status}`);
    return text;
  } catch (error) {
    if (error instanceof LoadctlError) throw error;
    throw unreachable(place, error);
  }
}

/** What a URL answers, as JSON. */
export async function askJson(url: string, asking: Asking): Promise<unknown> {
  const text = await askUrl(url, asking);
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
export function odd(place: string, what: string): LoadctlError {
  return new LoadctlError('unavailable', `${place} answered ${what}`, { hint: 'Correct the URL of the monitor.' });
}

function unreachable(place: string, error: unknown): LoadctlError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  const why = isLate ? 'no answer in time' : (errorCode(cause) ?? errorMessage(cause));
  return new LoadctlError('unavailable', `${place}: ${why}`, { hint: 'Start it, or correct the URL of the monitor.', cause: error });
}
