import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ScriptFile } from '../plan/plan.js';

/** What may name another file: a text after `from`, `import`, `require(` and `open(`. */
const naming = /\b(?:from|import|require|open)\b\s*\(?\s*(['"`])([^'"`\n]+)\1/g;
const isSource = /\.(?:[cm]?js|ts)$/;

/**
 * The script and every local file that it imports or opens by a name that stands in it, with their hashes: what k6 would
 * put into its archive, as far as that can be told without running it. What only an absolute name leads to keeps that
 * name: the way to it from the script is another one on another machine.
 */
export function readScriptFiles(script: string): ScriptFile[] {
  const found = new Map<string, ScriptFile>();
  collect({ path: script, byWay: true }, script, found);
  return [...found.values()];
}

interface NamedFile {
  readonly path: string;
  /** Whether relative names alone lead to it. */
  readonly byWay: boolean;
}

function collect({ path, byWay }: NamedFile, script: string, found: Map<string, ScriptFile>): void {
  const sha256 = found.has(path) ? undefined : fileHash(path);
  if (sha256 === undefined) return;
  const way = relative(dirname(script), path);
  found.set(path, { file: byWay || !way.startsWith('..') ? way : path, sha256 });
  if (!isSource.test(path)) return;
  for (const [, , name = ''] of readFileSync(path, 'utf8').matchAll(naming)) {
    const named = (folder: string) => ({ path: pathOf(name, folder), byWay: byWay && !/^(file:|\/)/.test(name) });
    // Some k6 read what open() names beside the first script, some beside the one that calls it.
    for (const folder of new Set([dirname(path), dirname(script)])) collect(named(folder), script, found);
  }
}

function pathOf(name: string, folder: string): string {
  try {
    return name.startsWith('file:') ? fileURLToPath(name) : resolve(folder, name);
  } catch {
    return ''; // no URL of a file: k6 itself will complain of it
  }
}

/** Piece by piece, as what a script opens may be large; undefined for what is no file that can be read. */
function fileHash(path: string): string | undefined {
  let descriptor: number | undefined;
  try {
    if (!statSync(path).isFile()) return undefined;
    descriptor = openSync(path, 'r');
    const hash = createHash('sha256');
    const piece = Buffer.alloc(1 << 20);
    for (let size = readSync(descriptor, piece); size > 0; size = readSync(descriptor, piece)) hash.update(piece.subarray(0, size));
    return hash.digest('hex');
  } catch {
    return undefined; // a name that is none, or what k6 itself will complain of
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
