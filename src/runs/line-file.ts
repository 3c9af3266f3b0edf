import { appendFileSync, closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';

/** A file of lines, each there as a whole or not at all. */
export interface LineFile {
  /** Throws where the line cannot be written. */
  append(line: string): void;
  close(): void;
}

/** Opens a file of mode 0600 with its first line. */
export function lineFile(path: string): LineFile {
  let descriptor: number | undefined;
  let size = 0;
  return {
    append: (line) => {
      if (descriptor === undefined) {
        descriptor = openSync(path, 'a', 0o600);
        size = fstatSync(descriptor).size;
      }
      const bytes = Buffer.from(`${line}\n`);
      try {
        appendFileSync(descriptor, bytes);
        size += bytes.length;
      } catch (error) {
        ftruncateSync(descriptor, size); // a disk takes what still fits of a line
        throw error;
      }
    },
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}
