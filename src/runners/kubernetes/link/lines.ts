import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Hands on what a stream of the link says, line by line. A link that breaks is told by its stream; readline tells it a second time, and unheard that is the end of the process. */
export function eachLine(stream: Readable, hear: (line: string) => void): void {
  createInterface({ input: stream })
    .on('error', () => {})
    .on('line', hear);
}
