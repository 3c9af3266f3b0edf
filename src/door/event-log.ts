import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedEvent } from '../core/events.js';
import { harmlessJson } from '../core/sanitise.js';
import { runFiles } from '../runs/layout.js';

const chunkBytes = 64 * 1024;

/**
 * The events of a command, numbered from 0, for whoever asks for them from a number on. Those before the run directory is
 * open are kept here; from then on the directory's own file is read, whose line of that number says the same.
 */
export interface EventLog {
  /** Hears of an event, after the run directory did. */
  hear(event: LoggedEvent): void;
  /** No more events come. */
  end(): void;
  /** Whether no more come. */
  readonly ended: boolean;
  /**
   * The lines from number `from` on, in pieces of whole lines, as they come; until there are no more, or `signal` aborts: then
   * after the next piece that is there, so that only one without any says that there are no more. Read only as fast as they are taken.
   */
  read(from: number, signal: AbortSignal): AsyncGenerator<Buffer>;
}

/** An {@link EventLog} without events. */
export function openEventLog(): EventLog {
  let early: string[] = [];
  let file: string | undefined;
  let ended = false;
  let heard = 0;
  let wake: (() => void)[] = [];
  const news = () => {
    heard += 1;
    for (const one of wake.splice(0)) one();
  };
  const more = (seen: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal.aborted || heard > seen) return resolve();
      const go = () => {
        signal.removeEventListener('abort', go);
        wake = wake.filter((one) => one !== go);
        resolve();
      };
      wake.push(go);
      signal.addEventListener('abort', go, { once: true });
    });
  async function* readEarly(from: number, signal: AbortSignal): AsyncGenerator<Buffer, number> {
    for (let next = from; ; ) {
      const lines = early.slice(next);
      next += lines.length;
      if (file !== undefined) return next;
      if (lines.length > 0) yield Buffer.from(`${lines.join('\n')}\n`);
      else if (ended || signal.aborted) return next;
      else await more(heard, signal);
    }
  }
  return {
    hear: ({ at, t, ...event }) => {
      if (file === undefined && event.type === 'run-opened') {
        file = join(event.directory, runFiles.events);
        early = [];
      } else if (file === undefined) early.push(harmlessJson(JSON.stringify({ at, t, ...event })));
      news();
    },
    end: () => {
      ended = true;
      news();
    },
    get ended() {
      return ended;
    },
    read: async function* (from, signal) {
      const next = yield* readEarly(from, signal);
      if (file === undefined) return;
      const opened = await open(file, 'r');
      try {
        yield* readFile(opened, next, { signal, heard: () => heard, isEnded: () => ended, more });
      } finally {
        await opened.close();
      }
    },
  };
}

interface Waiting {
  readonly signal: AbortSignal;
  /** How much was heard so far. */
  readonly heard: () => number;
  readonly isEnded: () => boolean;
  /** Resolves once more is heard than was `seen`. */
  readonly more: (seen: number, signal: AbortSignal) => Promise<void>;
}

/** The lines of a growing file but for the first `skip`; a line is passed on with its end. */
async function* readFile(file: FileHandle, skip: number, { signal, heard, isEnded, more }: Waiting): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(chunkBytes);
  let rest: Buffer = Buffer.alloc(0);
  let left = skip;
  for (let offset = 0; ; ) {
    const [seen, over] = [heard(), isEnded()]; // asked before it is read: what was written last is passed on in any case
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, offset);
    offset += bytesRead;
    if (bytesRead === 0) {
      if (over || signal.aborted) return;
      await more(seen, signal);
      continue;
    }
    const all = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    const end = all.lastIndexOf('\n') + 1;
    rest = all.subarray(end);
    const passed = withoutLines(all.subarray(0, end), left);
    left = passed.left;
    if (passed.lines.length === 0) continue;
    yield passed.lines;
    if (signal.aborted) return;
  }
}

/** Takes up to `count` lines from the beginning, and says how many are still to be taken. */
function withoutLines(lines: Buffer, count: number): { readonly lines: Buffer; readonly left: number } {
  let at = 0;
  let left = count;
  while (left > 0 && at < lines.length) {
    at = lines.indexOf('\n', at) + 1;
    left -= 1;
  }
  return { lines: lines.subarray(at), left };
}
