import type { Words } from './node.js';

/**
 * So much text is on its way to a server at once. What it holds of it, and of its answers, counts as memory of the server: one
 * that is nearly full would make room for it by evicting keys.
 */
const mostText = 48_000;

/** Commands in their order, some at a time. `answers`: how many bytes each may be answered with, where that is more than a few. */
export function* inPieces(commands: readonly Words[], answers: readonly (number | undefined)[] = []): Generator<readonly Words[]> {
  let piece: Words[] = [];
  let text = 0;
  for (const [index, words] of commands.entries()) {
    const size = words.reduce((sum: number, word) => sum + bytesIn(word), answers[index] ?? 0);
    if (piece.length > 0 && text + size > mostText) {
      yield piece;
      piece = [];
      text = 0;
    }
    piece.push(words);
    text += size;
  }
  if (piece.length > 0) yield piece;
}

function bytesIn(word: Words[number]): number {
  return typeof word === 'number' ? 8 : Buffer.byteLength(word);
}
