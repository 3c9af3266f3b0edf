import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorCode, errorMessage } from '../../core/errors.js';
import { mostOfFile } from '../../k6/arguments.js';
import { giveUp, type Keeping } from './files.js';
import { linesToKeep } from './without-secrets.js';

/** Keeps copies, without secrets, of what k6's own outputs wrote; says what was not kept. Never rejects. */
export async function keepOwnFiles(keeping: Keeping, names: readonly string[]): Promise<readonly string[]> {
  const troubles: string[] = [];
  for (const name of names) troubles.push(...(await keepOne(keeping, name)));
  return troubles;
}

async function keepOne({ from, to, redact }: Keeping, name: string): Promise<readonly string[]> {
  try {
    const { size } = await stat(join(from, name));
    const isCut = size >= mostOfFile;
    await pipeline(Readable.from(lines(join(from, name), redact, isCut)), createWriteStream(join(to, name), { mode: 0o600 }));
    return isCut ? [`${name} reached ${mostOfFile / 1024 / 1024} MB: what came after is missing`] : [];
  } catch (error) {
    await giveUp(join(to, name));
    return [errorCode(error) === 'ENOENT' ? `k6 wrote no ${name}` : errorMessage(error)];
  }
}

/** Line by line; the last one of a file that was cut is half a line. */
async function* lines(file: string, redact: Keeping['redact'], isCut: boolean): AsyncGenerator<string> {
  let held: string | undefined;
  for await (const line of createInterface({
    input: createReadStream(file, { end: mostOfFile - 1 }),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (held !== undefined) yield linesToKeep(`${held}\n`, redact);
    held = line;
  }
  if (held !== undefined && !isCut) yield linesToKeep(`${held}\n`, redact);
}
