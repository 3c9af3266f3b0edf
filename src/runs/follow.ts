import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedEvent } from '../core/events.js';
import { eventMisfit } from './event-shape.js';
import { runFiles } from './layout.js';
import { noneWhereMissing, parseLine } from './read.js';

/** As much as is read at once: some ten seconds of a run's events. */
const chunkBytes = 64 * 1024;

/** The events of a run as they are written. */
export interface EventLog {
  /**
   * Hands over, in order, the events that were written since the last call; none while the file is missing. A last line
   * without its end waits for the next call. Throws `unavailable` for a damaged line.
   */
  read(take: (event: LoggedEvent) => void): Promise<void>;
}

/** Follows the events in a run directory from their beginning; each byte is read once. */
export function followEvents(directory: string): EventLog {
  const path = join(directory, runFiles.events);
  const chunk = Buffer.alloc(chunkBytes);
  const wholeLines = lineCutter();
  let offset = 0;
  let lines = 0;
  const parse = (line: string): LoggedEvent[] => {
    lines += 1;
    return line === '' ? [] : [parseLine<LoggedEvent>(line, `${path}:${lines}`, eventMisfit)];
  };
  return {
    read: async (take) => {
      const file = await openIfThere(path);
      try {
        const next = () => readAt(file, chunk, offset).catch((error: unknown) => noneWhereMissing(error, path) ?? 0);
        for (let read = await next(); read > 0; read = await next()) {
          offset += read;
          for (const line of wholeLines(chunk.subarray(0, read))) parse(line).forEach(take);
        }
      } finally {
        await file?.close();
      }
    },
  };
}

/** Cuts bytes into the lines that end in them. A newline is no part of another character in UTF-8, so none is cut in two. */
function lineCutter(): (bytes: Buffer) => string[] {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const all = Buffer.concat([rest, bytes]);
    const end = all.lastIndexOf('\n');
    rest = all.subarray(end + 1);
    return end === -1 ? [] : all.toString('utf8', 0, end).split('\n');
  };
}

async function readAt(file: FileHandle | undefined, into: Buffer, position: number): Promise<number> {
  return file === undefined ? 0 : (await file.read(into, 0, into.length, position)).bytesRead;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: unknown) => noneWhereMissing(error, path));
}
