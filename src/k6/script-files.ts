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

/** What may read a variable, and whether the script has a value of its own for it. */
const reading = /\b__ENV(?:\.([A-Za-z_]\w*)|\[\s*(['"`])([A-Za-z_]\w*)\2\s*\])(\s*(?:\|\||\?\?))?/g;

/** The names of variables that a script and its modules read, but for those that they can do without, in order. */
export function readVariables(script: string): string[] {
  const sources = readScriptFiles(script).map(({ file }) => resolve(dirname(script), file));
  const found = sources.filter((path) => isSource.test(path)).flatMap((path) => [...readFileSync(path, 'utf8').matchAll(reading)]);
  const names = new Set(found.map(([, plain, , quoted]) => plain ?? quoted ?? ''));
  for (const [, plain, , quoted, otherwise] of found) if (otherwise !== undefined) names.delete(plain ?? quoted ?? '');
  return [...names];
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
  for (const { name, below = '.' } of namesIn(readFileSync(path, 'utf8'))) {
    const named = (folder: string) => ({ path: pathOf(name, resolve(folder, below)), byWay: byWay && !/^(file:|\/)/.test(name) });
    // Some k6 read what open() names beside the first script, some beside the one that calls it.
    for (const folder of new Set([dirname(path), dirname(script)])) collect(named(folder), script, found);
  }
}

/** `client.load(['protos'], 'hello.proto')`: the folders, and the files that are looked for in them. */
const loading = /\.load\(\s*(\[[^\]]*\]|null|undefined)\s*,([^)]*)\)/g;
const quoted = /(['"`])([^'"`\n]+)\1/g;

function namesIn(text: string): { readonly name: string; readonly below?: string }[] {
  const texts = (part: string) => [...part.matchAll(quoted)].map(([, , name = '']) => name);
  const protos = [...text.matchAll(loading)].flatMap(([, folders = '', files = '']) =>
    ['.', ...texts(folders)].flatMap((below) => texts(files).map((name) => ({ name, below }))),
  );
  return [...[...text.matchAll(naming)].map(([, , name = '']) => ({ name })), ...protos];
}

function pathOf(name: string, folder: string): string {
  try {
    return name.startsWith('file:') ? fileURLToPath(name) : resolve(folder, name);
  } catch {
    return ''; // no URL of a file: k6 itself will complain of it
  }
}

/** Piece by piece, as what a script opens may be large; undefined for what is not a file that can be read. */
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
