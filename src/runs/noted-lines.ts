import { createReadStream, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../core/errors.js';
import { linesInMemory, type NotedLines } from '../core/noted-lines.js';
import { harmlessJson } from '../core/sanitise.js';
import { stateRoot } from './layout.js';
import { lineFile } from './line-file.js';

/** Lines in a file below `.loadctl`, made with its first line. Where it cannot be written `fail` is told, once, and they are kept in memory. */
export function linesInFile(cwd: string, name: string, fail: (file: string, why: string) => void): NotedLines {
  const path = join(stateRoot(cwd), name);
  const file = lineFile(path);
  const memory = linesInMemory();
  let [isBegun, isBroken] = [false, false];
  const write = (line: unknown) => {
    if (!isBegun) mkdirSync(stateRoot(cwd), { recursive: true, mode: 0o700 });
    // Who was killed may have left part of a line.
    file.append(`${isBegun ? '' : '\n'}${harmlessJson(JSON.stringify(line))}`);
    isBegun = true;
  };
  return {
    add(line) {
      if (isBroken) return memory.add(line);
      try {
        write(line);
      } catch (error) {
        isBroken = true;
        fail(join('.loadctl', name), errorMessage(error));
        memory.add(line);
      }
    },
    async *read() {
      yield* linesOf(path);
      yield* memory.read();
    },
    async clear() {
      file.close();
      isBegun = false;
      await memory.clear();
      await rm(path, { force: true }).catch(() => undefined); // what stays there only makes the next cleanup look again
    },
  };
}

/** The lines of a file, some at a time; without what is none as a whole. */
async function* linesOf(path: string): AsyncIterable<readonly unknown[]> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      yield lines.flatMap(wholeLine);
    }
  } catch (error) {
    // A folder of that name is none of ours.
    if (!['ENOENT', 'EISDIR'].includes(errorCode(error) ?? ''))
      throw new LoadctlError('unavailable', `${path} cannot be read: ${errorMessage(error)}`, {
        hint: 'It says what an earlier cleanup removed: make it readable.',
        cause: error,
      });
  }
  yield wholeLine(rest);
}

function wholeLine(text: string): unknown[] {
  try {
    return text === '' ? [] : [JSON.parse(text)];
  } catch {
    return [];
  }
}
