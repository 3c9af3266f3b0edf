/** What stands in the place of a secret wherever something is shown or stored. */
export const redacted = '[redacted]';

/** Takes secrets out of text before it is shown or stored. */
export type Redact = (text: string) => string;

const secretName = /(^|[^a-z])(pass(word|wd)?|secret|token|key|apikey|auth|authorization|signature|sig|credential)s?([^a-z]|$)/i;
const wordBreaks = /([a-z0-9])([A-Z])/g;

/** Whether a field or query parameter of this name holds a secret: keys, tokens, passwords (design §8). */
export function isSecretName(name: string): boolean {
  return secretName.test(name.replace(wordBreaks, '$1-$2'));
}

/** The secrets inside a URL, as they are written and decoded: the password of its user info, secret query parameters. */
export function secretsInUrl(url: string): string[] {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return [];
  }
  const found = [parsed.password, ...[...parsed.searchParams].flatMap(([name, value]) => (isSecretName(name) ? [value] : []))];
  return found.filter((text) => text !== '').flatMap((text) => [...new Set([text, safeDecode(text)])]);
}

/** A URL with its secrets replaced; the host, user, path and harmless parameters stay. */
export function redactUrl(url: string): string {
  return redactor(secretsInUrl(url))(url);
}

/** A {@link Redact} for these secrets. Empty ones are ignored; longer ones go first, so that none hides in another. */
export function redactor(secrets: readonly string[]): Redact {
  const forms = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((shown, secret) => shown.replaceAll(secret, redacted), text);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
