import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file that a host is asked for, and how many bytes of it are taken at most. */
export interface Asked {
  readonly name: string;
  readonly most: number;
  /** Its beginning is of use, too, where the rest does not come. */
  readonly partial?: true;
}

/** How an answer came out; `problem` is what the host did instead: `sent something that was not asked for`. */
export type Received = { readonly whole: true } | { readonly problem: string };

/** Takes an answer in, piece by piece. */
export interface Receiver {
  /** Whether more is wanted: nothing is of an answer that is wrong. */
  take(piece: Buffer): boolean;
  /** When no more comes. A file that is not whole goes again, unless a part of it is of use. */
  end(): Received;
}

const newline = 0x0a;
/** What a login script says goes before the answer. */
const mostGreeting = 64 * 1024;
const mostHeader = 20;

/**
 * Takes apart what a host says after a line that is `mark`: of each file that was asked for, in that order, its size on a
 * line (`-` where there is none) and then so many bytes. No name comes from the host: each goes into the file of `folder`
 * that it was asked for as.
 */
export function receiveFiles(mark: string, asked: readonly Asked[], folder: string): Receiver {
  let rest: Buffer = Buffer.alloc(0);
  let begun = false;
  let problem: string | undefined;
  let file: { readonly asked: Asked; readonly descriptor: number; left: number } | undefined;
  const waiting = [...asked];

  const header = (): boolean => {
    const end = rest.indexOf(newline);
    const line = rest.toString('latin1', 0, end === -1 ? rest.length : end);
    if (end === -1 && rest.length <= mostHeader) return false;
    const next = waiting.shift();
    const size = line === '-' ? undefined : sizeIn(line);
    if (next === undefined || (size === undefined && line !== '-')) problem = 'sent something that was not asked for';
    else if (size !== undefined && size > next.most) problem = `sent ${next.name} with ${size} bytes, where ${next.most} are the most`;
    else if (size !== undefined) file = { asked: next, descriptor: openSync(join(folder, next.name), 'w', 0o600), left: size };
    rest = rest.subarray(end + 1);
    return problem === undefined;
  };
  const content = (): boolean => {
    if (file === undefined) return true;
    const part = rest.subarray(0, file.left);
    writeSync(file.descriptor, part);
    file.left -= part.length;
    rest = rest.subarray(part.length);
    if (file.left > 0) return false;
    closeSync(file.descriptor);
    file = undefined;
    return true;
  };
  const greeting = (): boolean => {
    const at = rest.indexOf(`${mark}\n`);
    if (at === -1 && rest.length > mostGreeting) problem = 'sent something that was not asked for';
    if (at === -1) return false;
    rest = rest.subarray(at + mark.length + 1);
    begun = true;
    return true;
  };
  return {
    take: (piece) => {
      if (problem !== undefined) return false;
      rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      if (begun || greeting()) while (content() && rest.length > 0 && header()) {}
      return problem === undefined;
    },
    end: () => {
      const torn = file;
      if (torn !== undefined) closeSync(torn.descriptor);
      if (torn !== undefined && torn.asked.partial !== true) rmSync(join(folder, torn.asked.name), { force: true });
      if (problem !== undefined) return { problem };
      return torn === undefined && waiting.length === 0 ? { whole: true } : { problem: 'did not send all' };
    },
  };
}

function sizeIn(line: string): number | undefined {
  return /^\d{1,15}$/.test(line) ? Number(line) : undefined;
}
