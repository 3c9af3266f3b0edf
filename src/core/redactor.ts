import { cutOut, type Found, findAll, type Needles, needlesOf } from './hide.js';
import { redacted } from './secrets.js';
import { spellings } from './spellings.js';

/**
 * Knows the secrets of a call, and takes them out of single values before these become lines, files and tables. How far it
 * goes for one depends on how telling its text is: see {@link Reach}.
 */
export interface Redactor {
  /** Takes these out from now on. `open` are words that anybody may read in the profile: a password may be spelled like one. */
  hide(secrets: readonly string[], open?: readonly string[]): void;
  /** For a text of loadctl's own with foreign text in it: a message, a URL, a path. */
  text(text: string): string;
  /** For what a script or k6 wrote. */
  output(text: string): string;
  /** Whether a text, or JSON as a text, may hold any of them: most lines of a long log do not. */
  mayHold(text: string): boolean;
  /** For what a script may have named: two names that hold different secrets stay two. */
  name(text: string): string;
}

/**
 * Where a secret is looked for besides a URL's password and parameters:
 *
 *     parts   everywhere, within words too, in every spelling
 *     words   everywhere, as a word of its own: it has five small letters at most
 *     digits  as a word of its own in what scripts write and name, and in a URL's path: it has seven digits at most
 *     open    as a word of its own in what scripts write: it stands openly in the profile
 *     short   nowhere else: it has three characters at most
 */
type Reach = 'parts' | 'words' | 'digits' | 'open' | 'short';

/** Makes a {@link Redactor} that knows these secrets. */
export function openRedactor(...known: readonly string[]): Redactor {
  const reaches = new Map<string, Reach>();
  const marks = new Map<string, string>();
  const names = new Map<string, string>();
  let wanted = wantedOf(reaches);
  const cut = (text: string, where: Needles) => cutOut(text, [...findAll(text, where), ...inUrls(text, wanted)], () => redacted);
  const redactor: Redactor = {
    hide(secrets, open = []) {
      for (const secret of secrets) if (secret.trim() !== '') reaches.set(secret, reachOf(secret, open));
      wanted = wantedOf(reaches);
      names.clear();
    },
    text: (text) => cut(text, wanted.always),
    output: (text) => cut(text, wanted.inOutput),
    mayHold: (text) => wanted.all.any.test(text),
    name(text) {
      const clean = names.get(text) ?? cutOut(text, [...findAll(text, wanted.inNames), ...inUrls(text, wanted)], numbered(marks));
      if (names.size < namesKept) names.set(text, clean);
      return clean;
    },
  };
  redactor.hide(known);
  return redactor;
}

/** A run has few names and says them every second. */
const namesKept = 10_000;

function reachOf(secret: string, open: readonly string[]): Reach {
  if (secret.length < 4) return 'short';
  if (open.includes(secret)) return 'open';
  if (/^\d{1,7}$/.test(secret)) return 'digits';
  return /^[a-z]{1,5}$/.test(secret) ? 'words' : 'parts';
}

/** `[redacted]` for the first secret that a name holds, `[redacted 2]` for the next one. */
function numbered(marks: Map<string, string>): (secret: string) => string {
  return (secret) => {
    const mark = marks.get(secret) ?? (marks.size === 0 ? redacted : redacted.replace(']', ` ${marks.size + 1}]`));
    marks.set(secret, mark);
    return mark;
  };
}

interface Wanted {
  readonly always: Needles;
  readonly inOutput: Needles;
  readonly inNames: Needles;
  readonly inPaths: Needles;
  readonly all: Needles;
  /** What is looked for as a whole password or parameter only. */
  readonly whole: ReadonlySet<string>;
}

function wantedOf(reaches: ReadonlyMap<string, Reach>): Wanted {
  const of = (...some: Reach[]) => [...reaches].flatMap(([secret, reach]) => (some.includes(reach) ? [secret] : []));
  const asWords = (secrets: readonly string[]) => secrets.map((secret) => ({ text: secret, secret, whole: true }));
  const always = [...of('parts').flatMap((secret) => spellings(secret).map((text) => ({ text, secret }))), ...asWords(of('words'))];
  return {
    always: needlesOf(always),
    inOutput: needlesOf([...always, ...asWords(of('digits', 'open'))]),
    inNames: needlesOf([...always, ...asWords(of('digits'))]),
    inPaths: needlesOf(asWords(of('digits'))),
    all: needlesOf([...always, ...asWords(of('digits', 'open', 'short'))]),
    whole: new Set(of('words', 'digits', 'open', 'short')),
  };
}

/** Where a URL has a password, where it has the value of a parameter, and what follows its host. */
const inUserInfo = /(?<=:)[^:@/\s]+(?=@)/g;
const inQuery = /(?<=[?&][\w.-]+=)[^&#\s"']+/g;
const afterHost = /(?<=:\/\/[^/?#\s"']*)[/?#][^\s"'<>]*/g;

function inUrls(text: string, { whole, inPaths }: Wanted): Found[] {
  if (whole.size === 0) return [];
  const places = [...text.matchAll(inUserInfo), ...text.matchAll(inQuery)];
  const paths = inPaths.list.length === 0 ? [] : [...text.matchAll(afterHost)];
  return [
    ...places.flatMap(({ 0: value, index }) => (whole.has(value) ? [{ from: index, to: index + value.length, secret: value }] : [])),
    ...paths.flatMap(({ 0: path, index }) =>
      findAll(path, inPaths).map(({ from, to, secret }) => ({ from: from + index, to: to + index, secret })),
    ),
  ];
}
