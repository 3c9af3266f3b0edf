import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What messages, hints and help texts do not say, each with what they say instead. */
const instead: readonly (readonly [RegExp, string])[] = [
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/(?:['`"]|[a-z][.:;] )(?:Let|Say) [a-z`$]|, (?:or|and) (?:let|say) [a-z`$]/, 'set, allow'],
  [/(?<!\bthere )\b(?:is|are|was|were) no (?!longer|more|less|worse|better)[a-z]/i, 'is not a'],
  [/\b(?:is|are|was|were|be) told\b/, 'is reported, is distinguished'],
  [/[a-z`}] tells [a-z`$]/, 'reports, identifies'],
  [/[a-z,;:] (?:no|some)body [a-z]|(?:No|Some)body [a-z]/, 'who it is'],
  [/, too\b(?! (?:few|many|much|long|short|large|small|late|old|new))/, 'also'],
  [/\btak(?:e|es|en) (?:\S+ ){0,3}out\b/i, 'remove'],
  [/\b(?:is|are|was|were) gone\b/, 'lost, ended, missing'],
  [/\bno pass\b|\bword too many\b|\bnot built yet\b|\bby way of\b|\breckons?\b|\bcame about\b/, 'as house words have it'],
];

/** The code of a file without its comments, which speak to whoever reads it. */
function withoutComments(text: string): string[] {
  return text.split('\n').map((line) => (/^\s*(?:\/\/|\/\*|\*|#)/.test(line) ? '' : line.replace(/ \/\/ .*$/, '')));
}

test('messages, hints and help texts keep to the words of the field', () => {
  const src = join(root, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const found = files.flatMap((name) =>
    withoutComments(readFileSync(join(src, name), 'utf8')).flatMap((line, at) =>
      instead
        .filter(([word]) => word.test(line))
        .map(([, word]) => `${relative(root, join(src, name))}:${at + 1}: ${line.trim()} (${word})`),
    ),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
