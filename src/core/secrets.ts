import { ownWords } from './own-words.js';

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

function isWellFormed(url: string): boolean {
  return URL.canParse(url) && /^[\w+.-]+:\/\//.test(url) && !isCutShort(url);
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
 * What may be secrets in a line of a profile that nobody could read: what stands in URLs, and beside `password:` and its
 * like. A template (`user:{n}`) and a `${NAME}` are none.
 */
export function secretsInLine(line: string): string[] {
  const places = line.match(/[^\s"',]*[:=][^\s"',]*@|\S*\?\S*=\S*/g) ?? [];
  const fields = [...line.matchAll(/([\w.-]+)["']?\s*:\s+(?:"([^"]*)|'([^']*)|([^\s"'{}[\],][^,}\]]*))/g)];
  const named = fields.flatMap(([, name = '', ...values]) =>
    isSecretName(name) ? [values.find((value) => value !== undefined) ?? ''] : [],
  );
  const found = [...places.flatMap(secretsInUrl), ...named.map((value) => value.trim())];
  return found.filter((value) => value.length >= 4 && !/\{n\}|\$\{|\*/.test(value));
}

/** A URL with its secrets replaced; the host, user, path and harmless parameters stay. */
export function redactUrl(url: string): string {
  return redactor(secretsInUrl(url))(url);
}

/** A {@link Redact} for these secrets. Empty ones are ignored; longer ones go first, so that none hides in another. */
export function redactor(secrets: readonly string[]): Redact {
  const forms = secrets
    .flatMap((secret) => [secret, ...linesOf(secret)])
    .filter((text) => text !== '')
    .flatMap(spellings);
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((shown, secret) => shown.replaceAll(secret, redacted), text);
}

/**
 * The same for all that loadctl says and stores. A secret that is an ordinary word is only taken out of URLs: it tells nobody
 * anything where it stands by itself, but `er[redacted]r` does, and a file with a hole in its words can be read by nobody.
 */
export function outputRedactor(secrets: readonly string[]): Redact {
  const hide = redactor(secrets.filter((secret) => !isOrdinary(secret)));
  const ordinary = new Set(secrets.filter((secret) => secret !== '' && isOrdinary(secret)));
  if (ordinary.size === 0) return hide;
  const hideWord = (whole: string, before: string, word: string) => (ordinary.has(word) ? `${before}${redacted}` : whole);
  return (text) => hide(text).replace(inUserInfo, hideWord).replace(inQuery, hideWord);
}

/** Where a URL has a password, and where it has the value of a parameter. */
const inUserInfo = /(:)([^:@/\s]+)(?=@)/g;
const inQuery = /([?&][\w.-]+=)([^&#\s"']+)/g;

/** Whether a text is too short, a number, a short word, or a part of loadctl's own words. */
function isOrdinary(text: string): boolean {
  return text.length < 4 || /^(\d{1,7}|[a-z]{1,5})$/.test(text) || ownWords.includes(text);
}

/** A key of several lines is shown line by line: what an error says is. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= 4);
}

/** A text as it is, in a URL, in JSON, and in JSON that is a text in JSON: a script's log line. */
function spellings(text: string): string[] {
  const query = inUrlQuery(text);
  const inUrl = [encodeURIComponent(text), query, query.replaceAll('%20', '+'), inGoUserInfo(text)];
  const inJson = jsonSpellings(text);
  return [text, ...inUrl, ...inJson, ...inJson.flatMap(jsonSpellings)];
}

function inUrlQuery(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Go's net/url leaves these as they are in user and password. */
function inGoUserInfo(text: string): string {
  return inUrlQuery(text).replace(/%(24|26|2B|2C|3B|3D)/g, decodeURIComponent);
}

/** In JSON, and in JSON as Go writes it. */
function jsonSpellings(text: string): string[] {
  const inJson = JSON.stringify(text).slice(1, -1);
  return [inJson, inJson.replace(/[&<>]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)];
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Takes secrets out of every text inside a value. Names stay as they are: a password may be spelled like one. */
export function redactDeep<T>(value: T, redact: Redact): T {
  return deep(value, redact) as T;
}

function deep(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => deep(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === 'type' ? inner : deep(inner, redact)]));
}
