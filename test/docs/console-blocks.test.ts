import { describe, expect, test } from 'vitest';
import { blocksIn, patternOf, typedIn } from './console-blocks.js';

const page = `# A page

<!-- console file: profiles/a.yaml -->
<!-- console measured -->

\`\`\`yaml
a: 1
\`\`\`

<!-- console untested: no reason -->

Text in between.

\`\`\`console
$ loadctl one
what it says
  …

$ loadctl two
\`\`\`
`;

describe('the blocks of a page', () => {
  test('come with what is said right above them', () => {
    const [yaml, console] = blocksIn(page);
    expect(yaml).toMatchObject({ kind: 'yaml', text: 'a: 1\n', line: 6 });
    expect([...(yaml?.said ?? [])]).toEqual([
      ['file', 'profiles/a.yaml'],
      ['measured', ''],
    ]);
    expect([...(console?.said ?? [])]).toEqual([]);
    expect(console && typedIn(console)).toEqual([
      { command: 'loadctl one', output: 'what it says\n  …' },
      { command: 'loadctl two', output: '' },
    ]);
  });

  test('have an end, type something, and are said what is known', () => {
    expect(() => blocksIn('```console\n$ loadctl')).toThrow('line 1 has no end');
    expect(() => blocksIn('<!-- console untestd: typo -->')).toThrow('line 1 says nothing that is known');
    expect(() => typedIn({ kind: 'console', text: 'loadctl\n', line: 7, said: new Map() })).toThrow('line 7');
  });
});

describe('an output', () => {
  test.each([
    ['one\ntwo', 'one\ntwo\n', false, true],
    ['one\ntwo', 'one\ntwo\nthree\n', false, false],
    ['one', 'none\n', false, false],
    ['one …', 'one of them\n', false, true],
    ['one …', 'one of\nthem\n', false, false],
    ['one\n…\nfour', 'one\ntwo\nthree\nfour\n', false, true],
    ['one\n…\nfour', 'one\nfour\n', false, true],
    ['one\n…', 'one\ntwo\n', false, true],
    ['a  b', 'a        b\n', false, true],
    ['a b', 'a  b\n', false, false],
    ['3.74 ms (3–4)', '12.1 ms (11–1,200)\n', true, true],
    ['3.74 ms (3–4)', '12.1 ms (11–1,200)\n', false, false],
    ['3.74 ms (3–4) pass', '12.1 ms pass\n', true, true],
    ['3.74 ms (3–4)', '3.74 ms\n', false, false],
    ['3.74 ms', '1 s\n', true, false],
    ['run 20261129-080728-yiksg at 127.0.0.1:80', 'run 20261130-000000-aaaaa at 127.0.0.1:4444\n', false, true],
    ['$(a) [b]* +?', '$(a) [b]* +?\n', false, true],
    ['$(a) [b]*', '$(a) b\n', false, false],
  ])('%j, where %j is printed (numbers measured: %s): %s', (output, printed, measured, matches) => {
    expect(patternOf(output, measured).test(printed)).toBe(matches);
  });
});
