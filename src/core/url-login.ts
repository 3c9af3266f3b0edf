/** A URL apart from the login in it. */
export interface UrlLogin {
  /** The URL without user and password. */
  readonly plain: URL;
  /** The header that they make, as k6 makes it: percent-encoding undone, in UTF-8; undefined where the URL has neither. */
  readonly authorization?: string;
}

/** Takes the login out of a URL. */
export function splitLogin(url: string): UrlLogin {
  const plain = new URL(url);
  const { username, password } = plain;
  if (username === '' && password === '') return { plain };
  plain.username = '';
  plain.password = '';
  return { plain, authorization: `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}` };
}

/** A `%` that begins no code is one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
