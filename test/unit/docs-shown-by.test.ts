import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/* The pages about data and guards name, beside each claim, the test that shows it: *Shown by* `whose-rows`: “a title”, “another”. */

const pages = ['data', 'guards', 'stores-postgres', 'stores-redis', 'from-script-to-profile', 'first-steps', 'live'];
const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

/** One reference: a file of tests, and the title of a test in it, or its beginning where it ends with `…`. */
interface Reference {
  readonly file: string;
  readonly title: string;
}

const reference = /`([\w./-]+)`: (“[^”]+”(?:, “[^”]+”)*)/g;

function referencesIn(text: string): Reference[] {
  return [...text.replaceAll(/\s+/g, ' ').matchAll(reference)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
  );
}

/** Where a file of tests is: in `test/data` unless its folder is named. */
const pathOf = (file: string) => `test/${file.includes('/') ? file : `data/${file}`}.test.ts`;

/** Whether such a text stands in a file as the title of a test or a group (before a function), or first in a row of `test.each`, or is called its title. */
function isThere({ file, title }: Reference): boolean {
  if (!existsSync(`${root}${pathOf(file)}`)) return false;
  const isCut = title.endsWith('…');
  const wanted = (isCut ? title.slice(0, -1) : title).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const text = `(['"\`])${wanted}${isCut ? '[^\\n]*' : ''}\\1,`;
  return new RegExp(`${text}\\s*(?:async\\b|[({]|function\\b)|(?:\\[|title:)\\s*${text.replace('\\1', '\\2')}`).test(read(pathOf(file)));
}

test.each(pages)('each test that docs/%s.md names is there, by its title', (page) => {
  const text = read(`docs/${page}.md`);
  const found = referencesIn(text);
  expect(found.filter((each) => !isThere(each))).toEqual([]);
  expect(found.length).toBeGreaterThan(2);
  // What does not read as a reference would name nothing.
  const claims = text
    .replaceAll(/\s+/g, ' ')
    .split(/shown by\*? /i)
    .slice(1);
  expect(claims.filter((claim) => claim.search(reference) !== 0).map((claim) => claim.slice(0, 60))).toEqual([]);
});

/** Paragraphs, tables and items of lists; not headings, and not what is shown letter by letter. */
function blocks(text: string): string[] {
  return text
    .replaceAll(/^```.*?^```$/gms, '')
    .split(/\n\s*\n/)
    .map((block) => block.trim())
    .filter((block) => block !== '' && !/^(#|<!--)/.test(block));
}

describe('what the pages about data and guards claim', () => {
  test.each(['data', 'guards'])('has its test beside it, paragraph by paragraph and row by row: docs/%s.md', (page) => {
    const [, ...rest] = blocks(read(`docs/${page}.md`).replaceAll(/^ {4}.*$/gm, ''));
    const silent = rest.flatMap((block) => {
      if (!block.startsWith('|')) return /shown by/i.test(block) || block.endsWith(':') ? [] : [block];
      const [head = '', , ...rows] = block.split('\n');
      return /\| test \|$/.test(head) ? rows.filter((row) => referencesIn(row.split(' | ').at(-1) ?? '').length === 0) : [head];
    });
    expect(silent).toEqual([]);
  });
});
