import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A secret that a test gave away, and is to be found nowhere. */
export interface Secret {
  readonly name: string;
  readonly text: string;
  /** Who logs in with it, where HTTP's basic authentication may carry it. */
  readonly user?: string;
}

/** Says which secrets are in a text, each with the spelling that was found. */
export type SecretSearch = (text: string) => string[];

/**
 * Searches for each secret as it is, in URLs, in JSON and in base64, and for its long runs of letters and digits, of which
 * every other spelling, and every half of one, has some.
 */
export function secretSearch(secrets: readonly Secret[]): SecretSearch {
  const needles = secrets.flatMap((secret) => [...spellings(secret)].map(([how, text]) => ({ what: `${secret.name} (${how})`, text })));
  return (text) => needles.filter((needle) => text.includes(needle.text)).map(({ what }) => what);
}

function spellings({ text, user }: Secret): Map<string, string> {
  const inUrl = encodeURIComponent(text);
  const strict = inUrl.replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const inJson = JSON.stringify(text).slice(1, -1);
  const runs = text.match(/[A-Za-z0-9]{8,}/g) ?? [];
  return new Map([
    ['as it is', text],
    ['in a URL', inUrl],
    ['in a URL, all escaped', strict],
    ['in a URL, in small letters', strict.replace(/%../g, (code) => code.toLowerCase())],
    ['in a form', strict.replaceAll('%20', '+')],
    ['in JSON', inJson],
    ['in JSON twice', JSON.stringify(inJson).slice(1, -1)],
    ['in JSON as Go writes it', inJson.replace(/[&<>]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)],
    ['in base64', base64(text)],
    ...(user === undefined ? [] : [['as a login', base64(`${user}:${text}`)] as const]),
    ...runs.map((run, index) => [`its run ${index + 1}`, run] as const),
  ]);
}

/** Without the end, which depends on what follows. */
function base64(text: string): string {
  return Buffer.from(text).toString('base64').replace(/.?=*$/, '');
}

/** What is found in the files below a folder, as `file: secret`; archives are searched, compressed or not, and names, too. */
export function searchFolder(folder: string, search: SecretSearch, skip: ReadonlySet<string> = new Set()): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    return skip.has(path) ? [] : search(`${path}\n${contentOf(path)}`).map((what) => `${path}: ${what}`);
  });
}

function contentOf(file: string): string {
  const bytes = readFileSync(file);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** The command lines of all processes, as anybody on this machine can read them. */
export interface CommandLines {
  /** Every one that was seen so far. */
  readonly seen: ReadonlySet<string>;
  stop(): void;
}

/** Looks at all processes every few milliseconds. */
export function watchCommandLines(): CommandLines {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of readdirSync('/proc')) if (/^\d+$/.test(pid)) seen.add(commandLine(pid));
  };
  const timer = setInterval(look, 15);
  return { seen, stop: () => clearInterval(timer) };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return ''; // it is gone
  }
}
