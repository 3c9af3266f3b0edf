import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage } from '../../core/errors.js';
import type { Redactor } from '../../core/redactor.js';
import { harmless } from '../../core/sanitise.js';
import { logDigester } from '../../k6/log-digest.js';
import { giveUp, type Keeping } from './files.js';
import { type LineBatch, lineBatches } from './line-batches.js';
import { logLimits, rawLog } from './raw-log.js';
import { type RunnerLog, runnerFiles } from './types.js';
import { linesToKeep } from './without-secrets.js';

const pieceBytes = 256 * 1024;

/**
 * Reads a runner's raw log once, a piece at a time: into a copy without secrets in the runner's own folder, and into a
 * digest. `passed` bytes came after its beginning; nobody knows how many where it is undefined. Never rejects: what could not be done is in `troubles`.
 */
export async function keepLog({ from, to, redact }: Keeping, passed: number | undefined): Promise<RunnerLog> {
  const [first, last] = [join(from, rawLog.first), join(from, rawLog.last)];
  const size = await sizeOf(last);
  // Without a count a full end is taken for what is left of more.
  const leftOut = passed === undefined ? (size < logLimits.last ? 0 : undefined) : Math.max(0, passed - size);
  const digester = logDigester();
  const copy = copyTo(join(to, runnerFiles.log));
  const troubles: string[] = [];
  const read = async (files: readonly string[], beginsTorn = false) => {
    for await (const batch of lineBatches(piecesOf(files), beginsTorn)) {
      const text = clean(batch, redact);
      for (const line of text.split('\n')) digester.add(line);
      await copy.write(text);
    }
  };
  try {
    if (leftOut === 0) await read([first, last]);
    else {
      // What was torn at the gap may be half of a secret, which no search finds.
      await read([first]);
      await copy.write(
        `${JSON.stringify({ level: 'info', msg: `loadctl left out ${leftOut === undefined ? 'part' : `${leftOut} bytes`} of this log here` })}\n`,
      );
      await read([last], true);
    }
  } catch (error) {
    troubles.push(errorMessage(error));
  }
  return { digest: digester.read(), leftOut, troubles: [...troubles, ...(await copy.close())] };
}

async function* piecesOf(files: readonly string[]): AsyncGenerator<Buffer> {
  for (const file of files) {
    try {
      yield* createReadStream(file, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error; // it said nothing, or not so much
    }
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** No secret is longer, however it is spelled: what a line that was cut may end in. */
const longestSecret = 64 * 1024;
const cutMark = '… (cut by loadctl)\n';

/** Lines as they may be kept. A line that was cut is not JSON any more. */
function clean({ text, isCut }: LineBatch, redact: Redactor): string {
  return isCut ? `${harmless(redact.output(text).slice(0, -longestSecret))}${cutMark}` : linesToKeep(text, redact);
}

/** A file that is written in order. What cannot be written is not: the first reason is told in the end. */
function copyTo(path: string) {
  let file: Promise<FileHandle> | undefined;
  const troubles: string[] = [];
  const attempt = async (work: () => Promise<unknown>) => {
    if (troubles.length === 0) await work().catch((error: unknown) => troubles.push(errorMessage(error)));
  };
  return {
    write: (text: string) =>
      attempt(async () => {
        file ??= open(path, 'w', 0o600);
        await (await file).writeFile(text);
      }),
    close: async (): Promise<readonly string[]> => {
      const opened = await file?.catch(() => undefined);
      await opened?.close().catch((error: unknown) => troubles.push(errorMessage(error)));
      if (troubles.length > 0) await giveUp(path);
      return troubles.slice(0, 1);
    },
  };
}
