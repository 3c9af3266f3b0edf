import { cutOut, findAll, needlesOf } from './hide.js';
import { inGoUserInfo, spellings } from './spellings.js';

/** What stands in the place of a secret wherever something is shown or stored. */
export const redacted = '[redacted]';

/** Takes secrets out of text before it is shown or stored. */
export type Redact = (text: string) => string;

declare const secretsInside: unique symbol;

/** Something with its secrets in it: to be used, and never to be shown, stored or hashed. */
export type Whole<T> = T & { readonly [secretsInside]: true };

const secretName =
  /(^|[^a-z])(pas+(w(or)?d)?|secret|token|key|apikey|auth|authorization|bearer|jwt|cookie|passphrase|signature|sig|credential)s?([^a-z]|$)/i;
const wordBreaks = /([a-z0-9])([A-Z])/g;

/** Whether a field or query parameter of this name holds a secret: keys, tokens, passwords (design §8). */
export function isSecretName(name: string): boolean {
  return secretName.test(name.replace(wordBreaks, '$1-$2'));
}

/**
 * The secrets of what is meant as a URL, as they are written and decoded: the password of its user info, also as HTTP's basic
 * authentication sends it, and secret query parameters. Also where it is misspelled so far that it is none, or another one: `http:/ann:password@host`.
 */
export function secretsInUrl(url: string): string[] {
  const parsed = URL.canParse(url) && !isCutShort(url) ? secretsOf(new URL(url)) : [];
  const found = [...parsed, ...(isWellFormed(url) ? [] : secretsOfSlips(url))];
  return [...new Set(found.filter((text) => text !== '').flatMap((text) => [text, safeDecode(text)]))];
}

/** A password that begins with digits is a port to a URL where `#` ends it, or to a database's also `/` or `?`. */
const looksLikePort = /^(?:[\w+.-]+:\/\/[^:@/?#]*:\d*#|(?!https?:)[\w+.-]+:\/\/[^:@/?#]*:\d*[/?]).*@/s;

function isWellFormed(url: string): boolean {
  return URL.canParse(url) && /^[\w+.-]+:\/\//.test(url) && !isCutShort(url) && !looksLikePort.test(url);
}

/** Whether a second `@` after the host of a URL says that `@` and `/` stand in its password as they are: the host is none. */
export function isCutShort(url: string): boolean {
  return /^[\w+.-]+:\/\/[^/?#]*@[^/?#]*[/?#].*@/s.test(url);
}

function secretsOf({ username, password, searchParams }: URL): string[] {
  const isKnown = password !== '' && !/^\$(\{|%7B)/.test(password);
  const login = isKnown ? [Buffer.from(`${safeDecode(username)}:${safeDecode(password)}`).toString('base64')] : [];
  const cut = isKnown ? leftByK6(username, password) : [];
  return [password, ...login, ...cut, ...[...searchParams].flatMap(([name, value]) => (isSecretName(name) ? [value] : []))];
}

/**
 * What k6 2.2 leaves of a password in the name of a request: it cuts as many bytes out of the URL as the decoded user and
 * password have. With the stars before it, as it may be a letter.
 */
function leftByK6(username: string, password: string): string[] {
  const pair = [username, password].map(safeDecode);
  const cut = Buffer.byteLength(pair.join(':'));
  const written = [`${username}:${password}`, pair.map(inGoUserInfo).join(':')];
  return written.flatMap((text) => (text.length > cut ? [`:****${text.slice(cut)}`] : []));
}

/** What may be a password between a colon and an `@`, and the values of secret parameters: `?token=…`, libpq's `password='…'`. */
function secretsOfSlips(text: string): string[] {
  const whole = /^(?:[\w+.-]*:?\/+)?[^:@/\s]*:(.*)@/s.exec(text)?.[1];
  const others = [...text.matchAll(/:([^:@/\s]+)@/g)].flatMap(([, part = '']) => (whole?.includes(part) ? [] : [part]));
  const named = [...text.matchAll(/([\w.-]+)\s*=\s*('[^']*'|"[^"]*"|[^\s&;#]+)/g)];
  return [
    ...(whole === undefined ? [] : [whole]),
    ...others,
    ...named.flatMap(([, name = '', value = '']) => (isSecretName(name) ? [value] : [])),
  ];
}

/**
 * What may be secrets in an unreadable line of a profile: what stands in URLs, and beside `password:` and its
 * like. A template (`user:{n}`) and a `${NAME}` are none.
 */
export function secretsInLine(line: string): string[] {
  const places = line.match(/[^\s"',]*[:=][^\s"',]*@|\S*\?\S*=\S*/g) ?? [];
  const fields = [...line.matchAll(/([\w.-]+)["']?\s*:\s+(?:"([^"]*)|'([^']*)|([^\s"'{}[\],][^,}\]]*))/g)];
  const named = fields.flatMap(([, name = '', ...values]) => {
    const value = values.find((each) => each !== undefined) ?? '';
    return isSecretName(name) && !(name === 'key' && isCacheKey(value, line)) ? [value] : [];
  });
  const found = [...places.flatMap(secretsInUrl), ...named.map((value) => value.trim())];
  return found.filter((value) => value.length >= 4 && !/\{n\}|\$\{|.\*/.test(value));
}

/** Whether what stands beside `key` is a cache's, and no secret: `cache/user:{n}`, `cache/jobs`, `cache/Jobs` beside what is in it. */
function isCacheKey(value: string, line: string): boolean {
  const [, key] = /^[A-Za-z][\w-]*\/(\S+)$/.exec(value) ?? [];
  return key !== undefined && (/[:{]|^[a-z_.*-]+$/.test(key) || /\b(rows|members|value|ttl)["']?\s*:/.test(line));
}

/** A URL with its secrets replaced; the host, user, path and harmless parameters stay. */
export function redactUrl(url: string): string {
  return redactor(secretsInUrl(url))(url);
}

/** A {@link Redact} that takes these secrets out wherever they stand, in every spelling. Empty ones are ignored. */
export function redactor(secrets: readonly string[]): Redact {
  const needles = needlesOf([...new Set(secrets)].flatMap((secret) => spellings(secret).map((text) => ({ text, secret }))));
  return (text) => cutOut(text, findAll(text, needles), () => redacted);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
