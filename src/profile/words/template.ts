import { readSetColumn, setColumnPattern } from './names.js';
import { nearest } from './near.js';

/**
 * A seed template, read: literal text and what differs from row to row.
 *
 *     {n}              the row's number, from 1 on
 *     {n+900000000}    that much more: numbers out of the way of other rows'
 *     {uuid}           a UUID of the row; the same wherever it stands
 *     {now}            when the seed ran (ISO 8601); never compared afterwards
 *     {pick:a|b|c}     one of them
 *     {int:1..100}     a whole number, both ends included
 *     {users.id}       the value of that column in row n of a set, and round again where that has fewer rows
 *     {{ }}            literal braces
 */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'n'; readonly plus: number }
  | { readonly kind: 'now' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'pick'; readonly options: readonly string[] }
  | { readonly kind: 'int'; readonly low: number; readonly high: number }
  | { readonly kind: 'ref'; readonly set: string; readonly column: string };

/** A pattern for keys or members: literal text with Redis' wildcards, a column of a seeded set, or UUIDs of a namespace. */
export type PatternPart = Extract<TemplatePart, { kind: 'text' | 'ref' }> | { readonly kind: 'uuids'; readonly namespace: string };

/** Names that a set cannot have, as templates use them. */
export const reservedNames: readonly string[] = ['n', 'now', 'uuid', 'pick', 'int'];

/** What a template may hold, for messages. */
export const templateWords =
  '`{n}`, `{n+1000}`, `{uuid}`, `{now}`, `{pick:a|b}`, `{int:1..100}` or a column of a set such as `{users.id}`; `{{` is a literal brace';

const patternWords = 'a column of a set such as `{users.id}`, or `{uuid:NAME}` for ids that the script makes; `{{` is a literal brace';

const token = new RegExp(String.raw`\{\{|\}\}|\{(${setColumnPattern}|[^{}]*)\}|[{}]|[^{}]+`, 'gu');

/** Reads a template. What is in braces and no word of ours stays as it is: {@link templateProblem} tells of it. */
export function readTemplate(template: string): TemplatePart[] {
  return read(template, readWord);
}

/** Reads a pattern; see {@link patternProblem}. */
export function readPattern(pattern: string): PatternPart[] {
  return read(pattern, readPatternWord);
}

/** What is wrong with a template, in words; undefined where nothing is. */
export function templateProblem(template: string): string | undefined {
  return problemIn(template, readWord, templateWords);
}

/** What is wrong with a pattern. */
export function patternProblem(pattern: string): string | undefined {
  return problemIn(pattern, readPatternWord, patternWords);
}

/** What is wrong with a text in which nothing is filled in; it may hold `{{` for a literal brace. */
export function plainProblem(text: string): string | undefined {
  const found = [...text.matchAll(token)].find(([part, word]) => word !== undefined || part === '{');
  return found === undefined ? undefined : `\`${found[0]}\` is a template, and none is filled in here; \`{{\` is a literal brace`;
}

/** The first template in a text that is stored as it is written; undefined where it holds none. */
export function templateIn(text: string): string | undefined {
  return [...text.matchAll(token)].find(([, word]) => word !== undefined && readWord(word) !== undefined)?.[0];
}

function read<Part>(text: string, readOne: (word: string) => Part | undefined): (Part | { kind: 'text'; text: string })[] {
  return [...text.matchAll(token)].map(([part, word]) => {
    if (part === '{{' || part === '}}') return { kind: 'text', text: part.slice(1) };
    return (word === undefined ? undefined : readOne(word)) ?? { kind: 'text', text: part };
  });
}

function problemIn(text: string, readOne: (word: string) => unknown, words: string): string | undefined {
  for (const [part, word] of text.matchAll(token)) {
    if (part === '{') return `a \`{\` that is never closed: expected ${words}`;
    if (word === undefined || readOne(word) !== undefined) continue;
    return formerly(word) ?? `unknown template \`${part}\`: expected ${words}${near(word, readOne)}`;
  }
  return undefined;
}

/** The template that was most likely meant, where it may stand there. */
function near(word: string, readOne: (word: string) => unknown): string {
  const [, low, high] = /^int:\s*(-?\d+)\s*\.\.\s*(-?\d+)$/.exec(word) ?? [];
  const meant = low !== undefined && Number(low) > Number(high) ? `int:${high}..${low}` : nearest(word, ['n', 'now', 'uuid']);
  return meant === undefined || readOne(meant) === undefined ? '' : `; did you mean \`{${meant}}\`?`;
}

/** What took the place of a word that there was. */
function formerly(word: string): string | undefined {
  const [, name, rest = ''] = /^(ref|uuid):(.*)$/su.exec(word) ?? [];
  if (name === 'ref') return `\`{${word}}\` is written \`{${rest}}\`: the name of a set and its column`;
  if (name === 'uuid') return `\`{${word}}\` is written \`{uuid}\`; cleanup finds it again by \`in: SET.COLUMN\``;
  return undefined;
}

function readWord(word: string): TemplatePart | undefined {
  if (word === 'n') return { kind: 'n', plus: 0 };
  if (word === 'now' || word === 'uuid') return { kind: word };
  const [, plus] = /^n([+-]\d{1,15})$/.exec(word) ?? [];
  if (plus !== undefined) return { kind: 'n', plus: Number(plus) };
  const [, name, value = ''] = /^(pick|int):(.+)$/s.exec(word) ?? [];
  if (name === 'pick') return { kind: 'pick', options: value.split('|') };
  return name === 'int' ? readInt(value) : readReference(word);
}

function readPatternWord(word: string): PatternPart | undefined {
  const [, namespace] = /^uuid:(.+)$/s.exec(word) ?? [];
  return namespace === undefined ? readReference(word) : { kind: 'uuids', namespace };
}

function readInt(value: string): TemplatePart | undefined {
  const [low, high] = (/^(-?\d+)\.\.(-?\d+)$/.exec(value) ?? []).slice(1).map(Number);
  const fits = low !== undefined && high !== undefined && low <= high && Number.isSafeInteger(low) && high - low < 2 ** 48;
  return fits && Number.isSafeInteger(high) ? { kind: 'int', low, high } : undefined;
}

function readReference(word: string): { readonly kind: 'ref'; readonly set: string; readonly column: string } | undefined {
  const found = readSetColumn(word);
  return found === undefined ? undefined : { kind: 'ref', ...found };
}
