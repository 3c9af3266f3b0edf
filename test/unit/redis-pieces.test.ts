import { expect, test } from 'vitest';
import type { Words } from '../../src/stores/redis/connection/node.js';
import { inPieces } from '../../src/stores/redis/connection/pieces.js';

test('commands go in pieces of 48 kB, in their order; one that is longer goes by itself', () => {
  const set = (key: string, size: number): Words => ['SET', key, 'x'.repeat(size)];
  const commands = [
    set('a', 20_000),
    set('b', 5000),
    set('c', 30_000),
    set('d', 90_000),
    ['GET', 'e'],
    set('f', 10),
    ['PEXPIRE', 'f', 10],
  ] as const;
  expect([...inPieces(commands)].map((piece) => piece.map(([, key]) => key).join(''))).toEqual(['ab', 'c', 'd', 'eff']);
  expect([...inPieces(commands)].flat()).toEqual(commands);
  expect([...inPieces([])]).toEqual([]);
});
