import { expect, test } from 'vitest';
import type { Words } from '../../src/stores/redis/connection/node.js';
import { inPieces } from '../../src/stores/redis/connection/pieces.js';

test('commands go in pieces of 24 kB, in their order; one that is longer goes by itself', () => {
  const set = (key: string, size: number): Words => ['SET', key, 'x'.repeat(size)];
  const commands = [
    set('a', 10_000),
    set('b', 5000),
    set('c', 20_000),
    set('d', 90_000),
    ['GET', 'e'],
    set('f', 10),
    ['PEXPIRE', 'f', 10],
  ] as const;
  const pieces = [...inPieces(commands)];
  expect(pieces.map((piece) => piece.commands.map(([, key]) => key).join(''))).toEqual(['ab', 'c', 'd', 'eff']);
  expect(pieces.map(({ bytes }) => bytes)).toEqual([15_008, 20_004, 90_004, 34]);
  expect(pieces.flatMap((piece) => piece.commands)).toEqual(commands);
  expect([...inPieces([])]).toEqual([]);
});
