/**
 * Every way in which a secret may be written: as it is, line by line where it has several, in a URL, in JSON, and in JSON that
 * is a text in JSON (a script's log line).
 */
export function spellings(secret: string): string[] {
  return [...new Set([secret, ...linesOf(secret)].filter((text) => text !== '').flatMap(formsOf))];
}

/** A key of several lines is shown line by line: what an error says is. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= 4);
}

function formsOf(text: string): string[] {
  const query = inUrlQuery(text);
  const inUrl = [inUrlPart(text), query, query.replaceAll('%20', '+'), inGoUserInfo(text)];
  const inJson = inJsonText(text);
  return [text, ...inUrl, ...inJson, ...inJson.flatMap(inJsonText)];
}

/** Half of a pair of surrogates has no place in a URL. */
function inUrlPart(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\uFFFD'));
}

function inUrlQuery(text: string): string {
  return inUrlPart(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Go's net/url leaves these as they are in user and password. */
export function inGoUserInfo(text: string): string {
  return inUrlQuery(text).replace(/%(24|26|2B|2C|3B|3D)/g, decodeURIComponent);
}

/** In JSON, and in JSON as Go writes it. */
function inJsonText(text: string): string[] {
  const inJson = JSON.stringify(text).slice(1, -1);
  return [inJson, inJson.replace(/[&<>\u2028\u2029]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)];
}
