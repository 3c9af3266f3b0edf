import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesTo } from '../../src/world/lines.js';

function linesOf(bytes: Buffer, size: number): string[] {
  const heard: string[] = [];
  const lines = linesTo((line) => heard.push(line));
  for (let at = 0; at < bytes.length; at += size) lines.take(bytes.subarray(at, at + size));
  lines.end();
  return heard;
}

test('lines are the same, however their bytes fall', () => {
  const text = fc
    .array(fc.constantFrom('a', 'é', '日本', '\n', '\r\n', ' ', '\u{1f469}'), { maxLength: 40 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 7 }), (said, size) => {
      const lines = said.split(/\r?\n/);
      expect(linesOf(Buffer.from(said), size)).toEqual(lines.at(-1) === '' ? lines.slice(0, -1) : lines);
    }),
  );
});

test('a line without end is passed over, and those after it are heard', () => {
  const endless = Buffer.from(`before\n${'x'.repeat(3_000_000)}\nafter\n${'y'.repeat(2_000_000)}`);
  expect(linesOf(endless, 65_536)).toEqual(['before', 'after']);
  expect(linesOf(endless, endless.length)).toEqual(['before', 'after']);
});
