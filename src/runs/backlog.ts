import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../core/errors.js';
import { harmlessJson } from '../core/sanitise.js';
import { runFiles } from './layout.js';
import { readLines } from './read.js';
import { misfit } from './shape.js';
import { type RunDirectory, writeLines } from './write.js';

const ending = '.backlog';
/** What is owed where the run's loadctl is killed: it is there while something is. */
const owedEnding = '.owed';

/** Keeps what an output could not send, in order, for who sends it later. Throws where it does not fit: half of it is not kept. */
export function keepBacklog(directory: RunDirectory, output: string, lines: readonly unknown[]): void {
  keepWhole(directory, backlogFile(output), lines);
}

const parcelMisfit = (line: unknown) => misfit(line, { body: 'text' });

/** Keeps what somebody else has to send by an output if this process is killed; nothing is kept where nothing is owed. Throws like {@link keepBacklog}. */
export function keepOwed(directory: RunDirectory, output: string, lines: readonly unknown[]): void {
  const name = join(runFiles.outputs, `${output}${owedEnding}`);
  if (lines.length === 0) rmSync(directory.file(name), { force: true });
  else keepWhole(directory, name, lines);
}

/** The lines have no secrets. */
function keepWhole(directory: RunDirectory, name: string, lines: readonly unknown[]): void {
  const file = directory.file(name);
  try {
    mkdirSync(directory.file(runFiles.outputs), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, linesOf(lines), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    rmSync(`${file}.new`, { force: true });
    throw error;
  }
}

/** What the outputs of a run owe, by their names. Throws `unavailable` where it is damaged. */
export function readOwed(directory: string): Promise<ReadonlyMap<string, readonly unknown[]>> {
  return readAll(directory, owedEnding);
}

/** Nothing is owed by an output any more. */
export async function paidOwed(directory: string, output: string): Promise<void> {
  await rm(join(directory, runFiles.outputs, `${output}${owedEnding}`), { force: true });
}

/** What every output of a run could not send, by its name. Throws `unavailable` where it is damaged. */
export function readBacklogs(directory: string): Promise<ReadonlyMap<string, readonly unknown[]>> {
  return readAll(directory, ending);
}

async function readAll(directory: string, end: string): Promise<ReadonlyMap<string, readonly unknown[]>> {
  const names = await readdir(join(directory, runFiles.outputs)).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith(end));
  const read = async (file: string) =>
    [file.slice(0, -end.length), await readLines(directory, join(runFiles.outputs, file), parcelMisfit)] as const;
  return new Map(await Promise.all(files.map(read)));
}

/** Leaves only this of an output's backlog; no file where nothing is left. */
export async function leaveBacklog(directory: string, output: string, lines: readonly unknown[]): Promise<void> {
  if (lines.length === 0) await rm(join(directory, backlogFile(output)), { force: true });
  else await writeLines(directory, backlogFile(output), lines);
}

function linesOf(lines: readonly unknown[]): string {
  return lines.map((line) => `${harmlessJson(JSON.stringify(line))}\n`).join('');
}

function backlogFile(output: string): string {
  return join(runFiles.outputs, `${output}${ending}`);
}
