import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { errorText } from '../../src/reporters/error-text.js';
import { loadPaint, noPaint } from '../../src/reporters/paint.js';
import { lineOf } from '../../src/reporters/plain.js';
import { renderRuns } from '../../src/reporters/runs-table.js';
import { renderPairs, renderTable } from '../../src/reporters/table.js';
import { textWidth } from '../../src/reporters/width.js';
import { wrapLines } from '../../src/reporters/wrap.js';
import { runId } from '../support/ids.js';

const words = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen';

describe('a line that is wider than the screen', () => {
  test.each([
    ['is broken between words', 'one two three four', 10, ['one two', 'three four']],
    ['goes on below its own words', '  → one two three four', 14, ['  → one two', '    three four']],
    ['of a hint, too', 'hint: one two three four', 16, ['hint: one two', '      three four']],
    ['keeps a word that is wider', 'one http://127.0.0.1:8080/a/b two', 12, ['one', 'http://127.0.0.1:8080/a/b', 'two']],
    ['is left alone where it fits', 'one two three', 13, ['one two three']],
    ['is left alone where it is quoted', '  12 |   cache: {kind: redis, url: x}', 20, ['  12 |   cache: {kind: redis, url: x}']],
    [
      'keeps a command to paste whole',
      'hint: Did you mean it? Type: loadctl run --env dev --set a=b',
      30,
      ['hint: Did you mean it? Type:', '      loadctl run --env dev --set a=b'],
    ],
    ['keeps spaces between columns', '  a   b cc', 8, ['  a   b', '  cc']],
  ])('%s', (_, line, width, lines) => {
    expect(wrapLines([line], width)).toEqual(lines);
  });

  test('is as it is where there is no screen', () => {
    expect(wrapLines([words])).toEqual([words]);
  });

  test('is measured without its colours', async () => {
    const paint = await loadPaint(true);
    const lines = wrapLines([`  ${paint.warn('warning:')} ${words}`], 40);
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(40);
    expect(lines.map((line) => stripVTControlCharacters(line).trim()).join(' ')).toBe(`warning: ${words}`);
  });
});

const screen = (isTerminal: boolean) => ({
  isTerminal,
  isBehind: false,
  takeWhole: () => ({ write: () => {}, giveBack: () => {} }),
  width: 40,
  height: 24,
  write: () => {},
  pass: () => {},
  stream: process.stderr,
});

test('sentences and errors are broken on a terminal only', () => {
  const sentence = { tone: 'warn', text: words, hint: words } as const;
  const [onScreen, inPipe] = [true, false].map((isTerminal) =>
    lineOf(sentence, { talk: screen(isTerminal), talkPaint: noPaint }).split('\n'),
  );
  expect(inPipe).toEqual([`  warning: ${words}`, `    ${words}`]);
  expect(onScreen?.every((line) => line.length <= 40)).toBe(true);
  expect(onScreen?.length).toBeGreaterThan(6);
  const error = {
    code: 'unavailable',
    message: words,
    hint: words,
    lines: ['  3 | a line of a file that is wider than the screen is'],
  } as const;
  const lines = errorText(error, (text) => text, 40).split('\n');
  expect(lines.filter((line) => line.length > 40)).toEqual(['    3 | a line of a file that is wider than the screen is']);
});

test('pairs go on below their values, cells between words, and in a path behind its slashes', () => {
  for (const line of renderPairs([['target', [words]]], { paint: noPaint, width: 40 }))
    expect(line).toMatch(/^ {2}(target| {6}) {2}\S.{0,29}$/);
  const path = 'GET /a/rather/long/path/to/some/resource/:id/details';
  const table = renderTable(
    [
      { title: 'endpoint', wraps: true },
      { title: 'n', align: 'right' },
    ],
    [[path, '1']],
    { paint: noPaint, width: 40 },
  );
  expect(table.slice(1)).toEqual(['  GET /a/rather/long/path/to/some/  1', '  resource/:id/details']);
});

describe('runs', () => {
  const run = {
    run: runId('20261128-133000-abcde'),
    environment: 'stage',
    state: 'interrupted',
    startedAt: '2026-11-28T13:30:00.000Z',
    durationMs: 1_800_000,
    vus: 30_000,
    p95: 412.4,
    why: words,
  } as const;

  test('fit a screen of 80 columns, and say why below', () => {
    const lines = renderRuns([run, { run: run.run, environment: 'a-long-environment', state: 'passed' }], { paint: noPaint, width: 80 });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[1]).toMatch(/^ {2}20261128-133000-abcde {2}\S+ +11-28 \d\d:\d\d {3}30m {2}30,000 {2}412 ms {2}interrupted$/);
    expect(lines[2]).toMatch(/^ {2}→ one two/);
    expect(lines).toHaveLength(5);
  });

  test('have one line each where there is no screen', () => {
    expect(renderRuns([run], { paint: noPaint })[1]).toMatch(/interrupted {2}one two .* seventeen$/);
  });
});
