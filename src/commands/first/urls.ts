import { LoadctlError } from '../../core/errors.js';
import { redactUrl, secretsInUrl } from '../../core/secrets.js';
import type { Place } from './answers.js';
import { defaultUrl } from './ask-flags.js';

/** What keeps a text from being the URL of a service; undefined where nothing does. */
export function urlProblem(url: string): string | undefined {
  if (secretsInUrl(url).length > 0) return `${redactUrl(url)} holds a secret, and a profile is read by many`;
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? undefined : `${redactUrl(url)} is not a valid URL`;
}

/** The same for a database. */
export function databaseProblem(url: string): string | undefined {
  return placeProblem(url, /^postgres(ql)?:$/, 'postgres://user:password@host:5432/database');
}

/** The same for a cache. */
export function cacheProblem(url: string): string | undefined {
  return placeProblem(url, /^rediss?:$/, 'redis://user:password@host:6379/0');
}

function placeProblem(url: string, scheme: RegExp, example: string): string | undefined {
  if (url.includes('${')) return 'a URL with its values was expected: where it has a password, only the name of a variable is written';
  if (!URL.canParse(url) || !scheme.test(new URL(url).protocol)) return `${redactUrl(url)} is not a URL such as ${example}`;
  if (!isDecodable(url)) return `${redactUrl(url)} holds a % that begins no escape such as %25, which is one % itself`;
  if (secretsInUrl(withoutPassword(url)).length > 0)
    return `${redactUrl(url)} holds a secret besides its password, and a profile is read by many`;
  return undefined;
}

function isDecodable(text: string): boolean {
  return !/%(?![0-9a-f]{2})/i.test(text);
}

/** A URL as a profile can hold it: there `${NAME}` is the value of a variable, and in a URL that was typed it is part of the path. */
export function literalUrl(typed: string): string {
  const isPlain = !/[^\x21-\x7e]|[{}]/.test(typed);
  return isPlain ? typed : new URL(typed).href.replaceAll('{', '%7B').replaceAll('}', '%7D');
}

/** The URL of the service, without a `/` at the end of its path. Throws `usage`. */
export function checkedUrl(url: string): string {
  const problem = urlProblem(url);
  if (problem === undefined) return literalUrl(/[?#]/.test(url) ? url : url.replace(/\/+$/, ''));
  const hint =
    secretsInUrl(url).length > 0
      ? 'Write it without; give the whole of it as BASE_URL in the environment or in .env.'
      : `Write it as ${defaultUrl}`;
  throw new LoadctlError('usage', `--url ${problem}`, { hint });
}

/** A database or cache as it is written: with the name of a variable in place of its password. Throws `usage`. */
export function placeOf(
  option: string,
  url: string,
  { problem, variable }: { problem: (url: string) => string | undefined; variable: string },
): Place {
  const wrong = problem(url);
  if (wrong !== undefined)
    throw new LoadctlError('usage', `${option}: ${wrong}`, { hint: 'Nothing was written. loadctl init --help has examples.' });
  return { url: withoutPassword(url), ...(new URL(url).password === '' ? {} : { variable }) };
}

function withoutPassword(url: string): string {
  return withPassword(url, '');
}

/** A URL with this password, which is as it is, in the place of its own. */
export function withPassword(text: string, password: string): string {
  const url = new URL(text);
  url.password = encodeURIComponent(password);
  return url.toString();
}
