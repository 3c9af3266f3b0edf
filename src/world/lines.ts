import { StringDecoder } from 'node:string_decoder';

/** A line of more characters is none that loadctl waits for: whoever sends it without an end shall not fill its memory. */
const longest = 1024 * 1024;

/** Cuts what comes in pieces into lines, and hands each to `hear`; a line that is too long is passed over. */
export function linesTo(hear: (line: string) => void): { take(piece: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let skipping = false;
  const line = (text: string) => {
    if (!skipping && text.length <= longest) hear(text.endsWith('\r') ? text.slice(0, -1) : text);
    skipping = false;
  };
  return {
    take: (piece) => {
      const [first = '', ...more] = decoder.write(piece).split('\n');
      rest = skipping ? '' : rest + first;
      const last = more.pop();
      if (last !== undefined) {
        line(rest);
        for (const text of more) line(text);
        rest = last;
      }
      if (rest.length > longest) {
        skipping = true;
        rest = '';
      }
    },
    end: () => {
      if (rest !== '') line(rest);
    },
  };
}
