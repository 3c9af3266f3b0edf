/** What stands in the place of a secret wherever something is shown or stored. */
export const redacted = '[redacted]';

/** Takes secrets out of text before it is shown or stored. */
export type Redact = (text: string) => string;

const secretName = /(^|[^a-z])(pas+(w(or)?d)?|secret|token|key|apikey|auth|authorization|signature|sig|credential)s?([^a-z]|$)/i;
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
  const found = [...(URL.canParse(url) ? secretsOf(new URL(url)) : []), ...(isWellFormed(url) ? [] : secretsOfSlips(url))];
  return [...new Set(found.filter((text) => text !== '').flatMap((text) => [text, safeDecode(text)]))];
}

function isWellFormed(url: string): boolean {
  return URL.canParse(url) && /^[\w+.-]+:\/\//.test(url);
}

function secretsOf({ username, password, searchParams }: URL): string[] {
  const isKnown = password !== '' && !/^\$(\{|%7B)/.test(password);
  const login = isKnown ? [Buffer.from(`${safeDecode(username)}:${safeDecode(password)}`).toString('base64')] : [];
  return [password, ...login, ...[...searchParams].flatMap(([name, value]) => (isSecretName(name) ? [value] : []))];
}

/** What may be a password between a colon and an `@`, and the values of secret parameters: `?token=…`, libpq's `password='…'`. */
function secretsOfSlips(text: string): string[] {
  const whole = /^(?:[\w+.-]*:?\/+)?[^:@/\s]*:(.*)@/s.exec(text)?.[1];
  const last = [...text.matchAll(/:([^:@/\s]+)@/g)].map(([, password = '']) => password);
  const named = [...text.matchAll(/([\w.-]+)\s*=\s*('[^']*'|"[^"]*"|[^\s&;#]+)/g)];
  return [
    ...(whole === undefined ? [] : [whole]),
    ...last,
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
  const forms = secrets.filter((secret) => secret !== '').flatMap(spellings);
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((shown, secret) => shown.replaceAll(secret, redacted), text);
}

/** A text as it is, in a URL, in JSON, and in JSON as Go writes it. */
function spellings(text: string): string[] {
  const inUrl = encodeURIComponent(text);
  const inQuery = inUrl.replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const inJson = JSON.stringify(text).slice(1, -1);
  const inGoJson = inJson.replace(/[&<>]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`);
  return [text, inUrl, inQuery, inQuery.replaceAll('%20', '+'), inJson, inGoJson];
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
