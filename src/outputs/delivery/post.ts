import { errorCode, errorMessage } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { harmless } from '../../core/sanitise.js';
import { splitLogin } from '../../core/url-login.js';
import type { Answer } from '../kind/types.js';

/** What is posted, and to where. */
export interface Post {
  readonly url: string;
  /** Where it is not a POST. */
  readonly method?: 'PATCH' | 'GET';
  readonly headers: Readonly<Record<string, string>>;
  /** What a GET has none of. */
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** What an answer means that is neither success nor what every server means the same by; usually that it is refused. */
  readonly reads?: (status: number, text: string) => Answer | undefined;
}

/** Posts once. Redirects are not followed: where it goes to was shown and agreed to. Never rejects. */
export async function post({ url, method, headers, body, signal, reads }: Post): Promise<Answer> {
  try {
    const { plain, authorization } = splitLogin(url);
    const answer = await fetch(plain, {
      method: method ?? 'POST',
      headers: { ...(authorization === undefined ? {} : { authorization }), ...headers },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      signal,
    });
    const text = await beginningOf(answer);
    return reads?.(answer.status, text) ?? meaningOf(answer, text);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (signal.aborted) return { is: 'unknown', why: 'no answer in time' };
    const why = whyNot(cause);
    if (why === forbiddenPort) return { is: 'refused', why };
    return neverSent.has(errorCode(cause) ?? '') ? { is: 'later', why } : { is: 'unknown', why };
  }
}

const forbiddenPort = 'nothing is sent to this port: fetch keeps it for another protocol, as browsers do';

/** Node's codes say what happened, but for these. */
function whyNot(cause: unknown): string {
  const code = errorCode(cause);
  // It has no code.
  if (code === undefined && errorMessage(cause) === 'bad port') return forbiddenPort;
  if (code?.startsWith('HPE_')) return `what it answers is not HTTP (${code})`;
  return code === 'UND_ERR_SOCKET' ? 'it broke the connection off before its answer was over' : (code ?? errorMessage(cause));
}

/** With these no byte of a request left this machine, or no server had it. */
const neverSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

function meaningOf(answer: Response, text: string): Answer {
  const { status } = answer;
  if (answer.ok && isPage(text))
    return { is: 'refused', why: 'it answered with a web page: the URL is wrong, or a login is in front of it' };
  if (answer.ok) return { is: 'taken' };
  const why = `it answered ${status}${saying(text)}`;
  if (status === 408 || status === 429 || status >= 500) {
    const afterMs = retryAfterMs(answer.headers);
    return { is: 'later', why, ...(afterMs === undefined ? {} : { afterMs }) };
  }
  return { is: 'refused', why, ...(status === 410 ? { all: true } : {}) };
}

/** What no server of ours answers, but a login, a proxy or a portal before it does. */
function isPage(text: string): boolean {
  return /^\s*<(?:!doctype html|html)[\s>]/i.test(text);
}

/** What a server says beside its status, harmless; it may hold secrets, and be long. */
export function saying(text: string): string {
  const said = harmless(text).replace(/\s+/g, ' ').trim();
  return said === '' ? '' : ` (${said})`;
}

const mostBytes = 64 * 1024;

/** A server that never stops talking is not listened to for ever. */
async function beginningOf(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of answer.body ?? []) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > mostBytes) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}

/**
 * How long a server asks to be left alone: seconds, or a date, which is held against the server's own clock. Undefined where it
 * does not ask, or not so that it can be understood.
 */
export function retryAfterMs(headers: Headers): Milliseconds | undefined {
  const asked = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(asked)) return Number(asked) * 1000;
  const until = Date.parse(asked) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(until) ? Math.max(0, until) : undefined;
}
