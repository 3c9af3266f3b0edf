/** Some lines of a file, with their ends; `isCut`: one line, without its end. */
export interface LineBatch {
  readonly text: string;
  readonly isCut: boolean;
}

/** A line of more bytes is cut there: a page that a script logged as a whole. */
const longestLine = 1024 * 1024;
const newline = 0x0a;

/**
 * Cuts what comes in pieces into batches of whole lines, and keeps no more in memory than a piece and a line. A line that is
 * too long loses its end. A last line that has none is left out, and where `beginsTorn` the first one, up to its end.
 */
export async function* lineBatches(pieces: AsyncIterable<Buffer>, beginsTorn: boolean): AsyncGenerator<LineBatch> {
  let rest: Buffer = Buffer.alloc(0);
  let skipping = beginsTorn;
  for await (const piece of pieces) {
    rest = skipping ? piece : Buffer.concat([rest, piece]);
    if (skipping) {
      const end = rest.indexOf(newline);
      if (end === -1) continue;
      rest = rest.subarray(end + 1);
      skipping = false;
    }
    const end = rest.lastIndexOf(newline) + 1;
    if (end > 0) yield { text: rest.toString('utf8', 0, end), isCut: false };
    rest = rest.subarray(end);
    if (rest.length <= longestLine) continue;
    yield { text: rest.toString('utf8', 0, longestLine), isCut: true };
    skipping = true;
  }
}
