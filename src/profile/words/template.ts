/**
 * A seed template, read: literal text and what differs from row to row.
 *
 *     {n}              the row's number, from 1 on
 *     {uuid}           a UUID of the row; the same wherever it stands
 *     {uuid:NAME}      another one, which `uuid: NAME` of the cleanup recognises
 *     {now}            when the seed ran (ISO 8601); never compared afterwards
 *     {pick:a|b|c}     one of them
 *     {int:1..100}     a whole number, both ends included
 *     {ref:users.id}   the value of that column in a row of a seeded table, row by row and round again
 *     {{ }}            literal braces
 */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'n' }
  | { readonly kind: 'now' }
  | { readonly kind: 'uuid'; readonly namespace: string | undefined }
  | { readonly kind: 'pick'; readonly options: readonly string[] }
  | { readonly kind: 'int'; readonly low: number; readonly high: number }
  | { readonly kind: 'ref'; readonly table: string; readonly column: string };

/** What a template may hold, for messages. */
export const templateWords = '`{n}`, `{uuid}`, `{now}`, `{pick:a|b}`, `{int:1..100}` or `{ref:table.column}`, or `{{` for a literal brace';

const token = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;

/** Reads a template. What is in braces and no word of ours stays as it is: {@link templateProblem} tells of it. */
export function readTemplate(template: string): TemplatePart[] {
  return [...template.matchAll(token)].map(([part, word]): TemplatePart => {
    if (part === '{{' || part === '}}') return { kind: 'text', text: part.slice(1) };
    return (word === undefined ? undefined : readWord(word)) ?? { kind: 'text', text: part };
  });
}

function readWord(word: string): TemplatePart | undefined {
  if (word === 'n' || word === 'now') return { kind: word };
  if (word === 'uuid') return { kind: 'uuid', namespace: undefined };
  const [, name, value = ''] = /^(uuid|pick|int|ref):(.+)$/s.exec(word) ?? [];
  if (name === 'uuid') return { kind: 'uuid', namespace: value };
  if (name === 'pick') return { kind: 'pick', options: value.split('|') };
  return name === 'int' ? readInt(value) : name === 'ref' ? readReference(value) : undefined;
}

function readInt(value: string): TemplatePart | undefined {
  const [low, high] = (/^(-?\d+)\.\.(-?\d+)$/.exec(value) ?? []).slice(1).map(Number);
  const fits = low !== undefined && high !== undefined && low <= high && Number.isSafeInteger(low) && high - low < 2 ** 48;
  return fits && Number.isSafeInteger(high) ? { kind: 'int', low, high } : undefined;
}

/** The last dot parts table and column: a table may be written with its schema. */
function readReference(value: string): TemplatePart | undefined {
  const dot = value.lastIndexOf('.');
  return dot > 0 && dot < value.length - 1 ? { kind: 'ref', table: value.slice(0, dot), column: value.slice(dot + 1) } : undefined;
}

/** Whether a template gives every row a text of its own. */
export function dependsOnRow(template: string): boolean {
  return readTemplate(template).some(({ kind }) => kind === 'n' || kind === 'uuid');
}

/** What is wrong with a template, in words; undefined where nothing is. */
export function templateProblem(template: string): string | undefined {
  for (const [part, word] of template.matchAll(token)) {
    if (part === '{') return `expected ${templateWords}`;
    if (word !== undefined && readWord(word) === undefined) return `unknown template \`${part}\`: expected ${templateWords}`;
  }
  return undefined;
}
