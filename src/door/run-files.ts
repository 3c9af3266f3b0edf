import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { rememberedFiles, runFiles } from '../runs/layout.js';
import { type FileList, hashOfList, type ListedFile } from './protocol.js';

/** What an environment's data is remembered by: files below a folder. */
export interface Memory {
  readonly folder: string;
  readonly environment: string;
}

/** The files of a run directory that nobody writes any more, none where there is no directory; and of what is remembered. */
export async function listFiles(directory: string | undefined, memory?: Memory): Promise<FileList> {
  const files = directory === undefined ? [] : await filesIn(directory);
  const all = { files, ...(memory === undefined ? {} : { remembered: await rememberedIn(memory) }) };
  return { ...all, sha256: hashOfList(all) };
}

async function rememberedIn({ folder, environment }: Memory): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for (const name of Object.values(rememberedFiles(environment)))
    if (existsSync(join(folder, name))) files.push(await listed(folder, name));
  return files;
}

async function filesIn(directory: string): Promise<ListedFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => relative(directory, join(entry.parentPath, entry.name)));
  const files: ListedFile[] = [];
  for (const path of paths.filter((one) => one !== runFiles.reserve).sort()) files.push(await listed(directory, path));
  return files;
}

/** Piece by piece, as a log may be large. */
async function listed(directory: string, path: string): Promise<ListedFile> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of createReadStream(join(directory, path)) as AsyncIterable<Buffer>) {
    hash.update(piece);
    size += piece.length;
  }
  return { path: path.split(sep).join('/'), size, sha256: hash.digest('hex') };
}

/** Bytes of a file, both ends included. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** What a `Range` header asks for of a file of this size: one range of bytes; all of it where there is no header; undefined where it cannot be had. */
export function rangeOf(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return { from: 0, to: size - 1 };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(header) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const range = { from: Number(from), to: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
  return range.from <= range.to ? range : undefined;
}
