import { jsonAt } from '../../../core/json-path.js';
import type { CleanupKeys } from '../../../profile/sections/schema.js';
import { type Inverse, inverseOf, rowOf } from '../../../profile/templates/inverse.js';
import { render } from '../../../profile/templates/pieces.js';
import type { StoreTask } from '../../kind/types.js';
import { replyWord } from '../connection/errors.js';
import { type Servers, valueIn } from '../connection/servers.js';
import { keyPieces } from './entries.js';
import { literal } from './literal.js';
import { isRow, matcherOf } from './matcher.js';

/** Whether a key is one that this profile makes, by the key alone. */
export type IsOwn = (key: Buffer) => boolean;

type Match = Extract<CleanupKeys, { match: string }>;

/**
 * The keys that this profile makes: those of a set, of exactly its rows; those in which something begins with the prefix of the
 * test's ids; and those that a pattern of the cleanup fits.
 */
export function ownKeys(task: StoreTask): IsOwn {
  const isSeeded = seededKeys(task);
  const prefixed = task.prefix === undefined ? undefined : new RegExp(`(?<![A-Za-z0-9])${literal(task.prefix)}`, 'u');
  const matchers = task.keys.flatMap((entry) => ('match' in entry && entry.where === undefined ? [matcherOf(entry.match, task)] : []));
  return (key) => isSeeded(key) || prefixed?.test(key.toString()) === true || matchers.some(({ fits }) => fits(key));
}

/** The keys of the sets, and of those that were seeded before. */
export function seededKeys(task: StoreTask): IsOwn {
  const sets = [
    ...task.entries.map((set) => ({ pieces: keyPieces(set, task.source(set)), rows: set.rows })),
    ...task.former.flatMap(({ set, source }) => ('table' in set ? [] : [{ pieces: keyPieces(set, source), rows: set.rows }])),
  ];
  const tests = sets.map(({ pieces, rows }): IsOwn => {
    const inverse = inverseOf(pieces, rows);
    if (inverse !== undefined) return (key) => isRow(inverse, key);
    const only = Buffer.from(render(pieces, 1));
    return (key) => key.equals(only);
  });
  return (key) => tests.some((test) => test(key));
}

/** Those of some keys that are this profile's: by the key, or by what is stored where a pattern says so. */
export async function ownAmong(servers: Servers, task: StoreTask, isOwn: IsOwn, keys: readonly Buffer[]): Promise<Buffer[]> {
  const own = new Set(keys.filter(isOwn));
  for (const entry of task.keys) {
    if (!('match' in entry) || entry.where === undefined) continue;
    const { fits } = matcherOf(entry.match, task);
    const left = keys.filter((key) => !own.has(key) && fits(key));
    for (const { key } of (await whereFits(servers, entry, task, left)).fitting) own.add(key);
  }
  return keys.filter((key) => own.has(key));
}

/** Values that are longer are not read. */
export const mostBytes = 65_536;

/** What came of looking at the JSON texts under some keys. */
export interface Looked {
  /** Those whose field is of the set, with what is stored. */
  readonly fitting: readonly { readonly key: Buffer; readonly stored: Buffer }[];
  /** How many are too long to be read. */
  readonly tooLong: number;
  /** Those that hold no text at all, but a hash, a list or the like. */
  readonly noTexts: readonly Buffer[];
}

/** Looks which of some keys hold a JSON text whose field is exactly that of a row of a set. */
export async function whereFits(servers: Servers, { where }: Match, task: StoreTask, keys: readonly Buffer[]): Promise<Looked> {
  if (where === undefined || keys.length === 0) return { fitting: [], tooLong: 0, noTexts: [] };
  const inverse = task.inverse(where.in);
  const sizes = await servers.run(keys.map((key) => ({ key, words: ['STRLEN', key] })));
  const noTexts = keys.filter((_, index) => replyWord(sizes[index]?.error) === 'WRONGTYPE');
  const texts = keys.flatMap((key, index) => (noTexts.includes(key) ? [] : { key, size: Number(valueIn(servers, sizes[index])) }));
  const short = texts.filter(({ size }) => size > 0 && size <= mostBytes);
  const answers = await servers.run(short.map(({ key, size }) => ({ key, words: ['GETRANGE', key, 0, mostBytes], answerBytes: size })));
  const read = short.flatMap(({ key }, index) => {
    // What has become another type since is another key.
    const stored = replyWord(answers[index]?.error) === 'WRONGTYPE' ? undefined : valueIn(servers, answers[index]);
    return Buffer.isBuffer(stored) ? [{ key, stored }] : [];
  });
  const fitting = read.filter(({ stored }) => stored.length <= mostBytes && isOfSet(inverse, where.json, stored));
  const tooLong = [...texts.map(({ size }) => size), ...read.map(({ stored }) => stored.length)].filter((size) => size > mostBytes).length;
  return { fitting, tooLong, noTexts };
}

function isOfSet(inverse: Inverse, path: NonNullable<Match['where']>['json'], stored: Buffer): boolean {
  const value = jsonAt(parsed(stored.toString()), path);
  return (typeof value === 'string' || typeof value === 'number') && rowOf(inverse, String(value)) !== undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
