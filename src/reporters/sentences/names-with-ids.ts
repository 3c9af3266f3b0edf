import type { EndpointSample } from '../../core/events.js';
import type { Sentence } from './sentence.js';
import { counted } from './words.js';

/** So many names that are the same but for an id are no accident. */
const leastNames = 5;

/** What is an id in a path: a number, a UUID, many hexadecimal digits, or letters with many digits among them. */
const idPart = /^(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=.*\d)[0-9a-f]{12,}|(?=(?:.*\d){4})[\w-]{10,})$/i;

/**
 * That endpoints differ by an id only, as k6 names a request by its URL where the script gives no name; undefined where too few
 * do. Tells one example, and the tag that makes one endpoint of them.
 */
export function namesWithIds(endpoints: readonly Pick<EndpointSample, 'name'>[]): Sentence | undefined {
  const alike = new Map<string, string[]>();
  for (const { name } of endpoints) {
    const whole = withoutIds(name);
    if (whole !== name) alike.set(whole, [...(alike.get(whole) ?? []), name]);
  }
  const [most] = [...alike].sort(([, a], [, b]) => b.length - a.length);
  if (most === undefined || most[1].length < leastNames) return undefined;
  const [whole, names] = most;
  const path = whole.replace(/^(?:[A-Z]+ )?[a-z]+:\/\/[^/]*/, '').replace(/[?#].*$/, '') || whole;
  return {
    tone: 'warn',
    text: `${counted(names.length, 'endpoint')} differ by an id only, such as ${names[0]}: each is counted by itself.`,
    hint: `Give their requests one name in the script: {tags: {name: '${path}'}}`,
  };
}

/** A name with `:id` in the place of each id in its path. */
function withoutIds(name: string): string {
  const at = name.search(/[?#]/);
  const path = at === -1 ? name : name.slice(0, at);
  const [, origin = '', rest = path] = /^((?:[A-Z]+ )?[a-z]+:\/\/[^/]*)(.*)$/.exec(path) ?? [];
  return (
    origin +
    rest
      .split('/')
      .map((part) => (idPart.test(part) ? ':id' : part))
      .join('/')
  );
}
