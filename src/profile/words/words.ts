import { z } from 'zod';
import { formatDuration, parseDuration, parsePercent, parseRate } from '../../core/quantities.js';
import { isCutShort } from '../../core/secrets.js';
import { nameRule, readKey, readSetColumn, readTableName } from './names.js';
import { parseSize } from './size.js';
import { templateProblem } from './template.js';

/** What a value looks like it was meant as, for the message about a wrong unit; empty where it is nothing known. */
export function looksLike(text: string): string {
  if (/^\s*[\d_]+(\.\d+)?\s*$/.test(text)) return 'a bare number';
  if (parsePercent(text) !== undefined) return 'a percentage';
  if (parseRate(text) !== undefined) return 'a rate';
  if (parseDuration(text) !== undefined) return 'a duration';
  return parseSize(text) === undefined ? '' : 'a size';
}

interface Words<T> {
  /** What a value must be, after "expected". */
  readonly expected: string;
  /** The type's name in the reference. */
  readonly title: string;
  /** A regular expression for editors; a `${NAME}` is always let through besides. */
  readonly pattern: string;
  readonly examples: readonly (string | number)[];
  readonly parse: (text: string) => T | undefined;
}

function quantity<T>(words: Words<T>) {
  const message = `expected ${words.expected} such as \`${words.examples[0]}\``;
  return z
    .union([z.string(), z.number()], { error: message })
    .transform((value, context) => {
      const read = words.parse(String(value));
      if (read !== undefined) return read;
      context.addIssue({ code: 'custom', message, continue: true });
      return z.NEVER;
    })
    .meta({ title: words.title, pattern: `${words.pattern}|\\$\\{`, examples: [...words.examples] });
}

const durationPattern = '(\\d+(\\.\\d+)?(ms|us|µs|d|h|m|s))+';

/** A length of time in people's words; milliseconds. */
export const duration = () =>
  quantity({
    expected: 'a duration',
    title: 'duration',
    pattern: `^(0|${durationPattern})$`,
    examples: ['1m30s', '250ms', '2h'],
    parse: parseDuration,
  });

/** A share of a whole, written as a percentage; 0…1. */
export const percentage = () =>
  quantity({
    expected: 'a percentage',
    title: 'percentage',
    pattern: '^\\d+(\\.\\d+)?\\s*%$',
    examples: ['40%', '99.9%'],
    parse: readShare,
  });

/** Something per second. */
export const rate = () =>
  quantity({
    expected: 'a rate',
    title: 'rate',
    pattern: '^\\d+(\\.\\d+)?(e\\d+)?\\s*/\\s*[smh]$',
    examples: ['1000/s', '600/m'],
    parse: (text) => positive(parseRate(text)),
  });

/** An amount of memory or disk; bytes. */
export const size = () =>
  quantity({
    expected: 'a size',
    title: 'size',
    pattern: '^\\d+(\\.\\d+)?\\s*([kKmMgGtT]i?)?[bB]$',
    examples: ['16GiB', '512MB'],
    parse: (text) => positive(parseSize(text)),
  });

/** A whole number that is at least `least`; `1_000` is one, too. */
export const count = (least = 1, most = Number.MAX_SAFE_INTEGER) =>
  quantity({
    title: 'whole number',
    expected: `a whole number of at least ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${most}`}`,
    pattern: '^\\d[\\d_]*$',
    examples: [1000],
    parse: (text) => readCount(text, least, most),
  });

/** The number of a Redis index that may be flushed. */
export const testIndex = () =>
  quantity({
    expected: 'an index other than 0, which is never flushed,',
    title: 'whole number',
    pattern: '^[1-9]\\d*$',
    examples: [1],
    parse: (text) => readCount(text, 1),
  });

/** A part of the test, `30s..9m30s`: from and to, counted from its start. */
export const window = () =>
  quantity({
    expected: 'a part of the test',
    title: 'part of the test',
    pattern: `^(0|${durationPattern})\\s*\\.\\.\\s*${durationPattern}$`,
    examples: ['30s..9m30s'],
    parse: (text) => {
      const [from, to, ...rest] = text.split('..').map(parseDuration);
      return from !== undefined && to !== undefined && rest.length === 0 ? { from, to } : undefined;
    },
  });

/** What becomes of a run that nobody follows any more. */
export const clientLost = () =>
  quantity({
    expected: '`continue`, or how long it goes on,',
    title: 'what happens',
    pattern: `^(continue|stop after ${durationPattern})$`,
    examples: ['stop after 60s', 'continue'],
    parse: (text): 'continue' | { readonly stopAfterMs: number } | undefined => {
      const after = parseDuration(/^stop after (.*)$/.exec(text)?.[1] ?? '');
      if (text === 'continue') return text;
      return after === undefined || after === 0 ? undefined : { stopAfterMs: after };
    },
  });

/** Yes or no; a substituted `true` or `false` counts. */
export const flag = () =>
  z
    .union([z.boolean(), z.literal(['true', 'false'])], { error: 'expected `true` or `false`' })
    .transform((value) => value === true || value === 'true')
    .meta({ title: '`true` or `false`' });

/** Text that is not empty. */
export const text = (expected = 'a text') =>
  z.string({ error: `expected ${expected}` }).min(1, { error: `expected ${expected}, not nothing` });

/** A seed template that is not empty. */
export const template = (expected: string) =>
  text(expected).superRefine((value, context) => {
    const problem = templateProblem(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

/** A text that is read as a name; `read` hands back undefined where it is none. */
function name<T>(expected: string, read: (text: string) => T | undefined, takesTemplates = false) {
  // Found wrong before it is read, so that other readings of the map around it are held against this one.
  return z
    .string({ error: `expected ${expected}` })
    .superRefine((value, context) => {
      if (read(value) !== undefined) return;
      const [, template] = /^\{(.*)\}$/s.exec(value) ?? [];
      const meant = template !== undefined && read(template) !== undefined ? `; did you mean \`${template}\`?` : '';
      const isTemplate = !takesTemplates && /\{.*\}/s.test(value) && !hasPlaceholder(value);
      context.addIssue({
        code: 'custom',
        message: isTemplate ? `no template is filled in here: ${expected}${meant}` : `expected ${expected}`,
      });
    })
    .transform((value) => read(value) ?? z.NEVER);
}

/** `store.table`, `store.schema.table`. */
export const tableName = () => name('a store and a table such as `db.users` or `db.sales."Order.Items"`', readTableName);

/** `SET.COLUMN`. */
export const setColumn = () => name('a set and its column such as `users.id`', readSetColumn);

/** `store/key`. */
export const storeKey = (example: string) => name(`a store and a key such as \`${example}\``, readKey, true);

/** What rows belong to: a table, or all rows of a seeded set. */
export const viaName = () =>
  name(
    'a table such as `db.reservations`, or a set such as `users`',
    (value) => readTableName(value) ?? (nameRule.test(value) ? { set: value } : undefined),
  );

/** A placeholder stands for text that is not known yet: a plan without secrets keeps it. */
export const hasPlaceholder = (value: string): boolean => /\$\{[A-Za-z_]\w*\}/.test(value);

/** A URL with one of these schemes. */
export const url = (schemes: readonly string[], example: string) => {
  const message = `expected a URL such as \`${example}\``;
  return z
    .string({ error: message })
    .superRefine((value, context) => {
      const unescaped = unescapedIn(value);
      if (unescaped.length > 0) context.addIssue({ code: 'custom', message: `expected ${unescaped.join(' and ')} in user and password` });
      else if (!hasPlaceholder(value) && !isUrl(value, schemes)) context.addIssue({ code: 'custom', message });
    })
    .meta({ examples: [example] });
};

/** Milliseconds in people's words, for messages. */
export const inWords = formatDuration;

/** What stands in user and password as it is and means something else to a URL there: `` `#` as `%23` ``. */
function unescapedIn(value: string): string[] {
  const [, scheme = '', login] = /^([\w+.-]+):\/\/([^:@/?#]*:.*)@/s.exec(value) ?? [];
  if (login === undefined || hasPlaceholder(login)) return [];
  const url = URL.canParse(value) && !isCutShort(value) ? new URL(value) : undefined;
  const isRead = url !== undefined && (url.username !== '' || url.password !== '');
  // `http://host:80/@scope` has no login; but a service is no place in a page: `http://ann:12#34@host`.
  if (url !== undefined && !isRead && url.hash === '' && /^https?$/.test(scheme)) return [];
  const ends = isRead ? [] : [...'@/?# '].filter((mark) => login.includes(mark));
  const wrong = /%(?![0-9a-f]{2})/i.test(isRead ? `${url.username}:${url.password}` : login) ? ['%'] : [];
  return [...ends, ...wrong].map((mark) => `\`${mark}\` as \`%${mark.charCodeAt(0).toString(16).toUpperCase()}\``);
}

function isUrl(value: string, schemes: readonly string[]): boolean {
  return URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1)) && new URL(value).hostname !== '';
}

function readShare(value: string): number | undefined {
  const share = parsePercent(value);
  return share !== undefined && share <= 1 ? share : undefined;
}

function readCount(value: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
  const number = /^\s*\d[\d_]*\s*$/.test(value) ? Number(value.replaceAll('_', '')) : Number.NaN;
  return number >= least && number <= most && Number.isSafeInteger(number) ? number : undefined;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}
