import type { Readable } from 'node:stream';

/** How much of what a command says is kept, in bytes: its beginning, and its end, where it says why it ended. */
const kept = { first: 63 * 1024 * 1024, last: 1024 * 1024 };

/** Reads all that a command says, whatever that is, and resolves with what is kept of it when there is no more. */
export function gather(stream: Readable | null): Promise<string> {
  const [first, last]: [Buffer[], Buffer[]] = [[], []];
  let [room, lastBytes] = [kept.first, 0];
  stream?.on('data', (piece: Buffer) => {
    if (room > 0) first.push(piece.subarray(0, room));
    const over = piece.subarray(room);
    room -= piece.length - over.length;
    if (over.length === 0) return;
    last.push(over);
    lastBytes += over.length;
    while (lastBytes - (last[0]?.length ?? 0) >= kept.last) lastBytes -= last.shift()?.length ?? 0;
  });
  return new Promise((resolve) => {
    const done = () => {
      const end = Buffer.concat(last);
      resolve(Buffer.concat([...first, end.subarray(Math.max(0, end.length - kept.last))]).toString());
    };
    if (stream === null) done();
    else stream.once('close', done);
  });
}
