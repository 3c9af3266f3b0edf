import type { Words } from './node.js';

/**
 * So much text is on its way to a server at once. What it holds of it, and of its answers, counts as memory of the server: one
 * that is nearly full would make room for it by evicting keys.
 */
export const mostText = 48_000;

/** Commands that go by one write. */
export interface Piece {
  readonly commands: readonly Words[];
  /** Their text and that of their answers, about. */
  readonly bytes: number;
}

/**
 * Commands in their order, at most half of {@link mostText} at a time: the next ones are made while a server works on those before.
 * `answers`: how many bytes each may be answered with, where that is more than a few.
 */
export function* inPieces(all: readonly Words[], answers: readonly (number | undefined)[] = []): Generator<Piece> {
  let commands: Words[] = [];
  let bytes = 0;
  for (const [index, words] of all.entries()) {
    let size = answers[index] ?? 0;
    for (const word of words) size += bytesIn(word);
    if (commands.length > 0 && bytes + size > mostText / 2) {
      yield { commands, bytes };
      commands = [];
      bytes = 0;
    }
    commands.push(words);
    bytes += size;
  }
  if (commands.length > 0) yield { commands, bytes };
}

function bytesIn(word: Words[number]): number {
  return typeof word === 'number' ? 8 : Buffer.byteLength(word);
}
