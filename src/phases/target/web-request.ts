import { errorMessage } from '../../core/errors.js';

/** How a request of loadctl's own is made. */
export interface WebRequest {
  readonly userAgent: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends it: its deadline, or whoever does not want the answer any more. */
  readonly signal: AbortSignal;
}

/** GETs a URL once. Redirects are not followed: what is asked is what was named. Rejects where no answer came. */
export function getOnce(url: string, { userAgent, headers = {}, signal }: WebRequest): Promise<Response> {
  const { plain, authorization } = withoutCredentials(url);
  const all = new Headers({ 'user-agent': userAgent, ...authorization });
  for (const [name, value] of Object.entries(headers)) all.set(name, value); // whatever the case of its letters, in place of ours
  return fetch(plain, { redirect: 'manual', headers: all, signal });
}

/** Why no answer came, in words; OpenSSL's own for a server that speaks plain HTTP name its source files. */
export function noAnswer(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ERR_SSL_WRONG_VERSION_NUMBER' ? 'it does not speak TLS; http:// may be meant' : errorMessage(cause).trim();
}

/** fetch refuses a URL with credentials in it: they go into the header that k6 makes of them, too. */
function withoutCredentials(url: string): { plain: string; authorization: { authorization?: string } } {
  const parsed = new URL(url);
  const { username, password } = parsed;
  if (username === '' && password === '') return { plain: url, authorization: {} };
  parsed.username = '';
  parsed.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { plain: parsed.href, authorization: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}
