import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { errorCode, LoadctlError } from '../core/errors.js';
import type { RunId } from '../core/ids.js';
import { rememberedFiles, runFiles, runsRoot, stateRoot } from '../runs/layout.js';
import { writeError } from '../runs/write.js';
import { DoorAway, type DoorClient } from './client.js';
import { type Following, insist } from './follow.js';
import { type FileList, hashOfList, type ListedFile } from './protocol.js';

/** Where a run directory is copied to. */
export interface Collecting extends Following {
  readonly cwd: string;
  readonly run: RunId;
  /** Whose data is remembered, where the command touched any. */
  readonly environment: string;
  /** A file arrived damaged, and is asked for again. */
  damaged(path: string): void;
}

/** A file that arrives damaged so often is damaged on every way there is. */
const maxCopies = 3;

/**
 * Copies the directory of a run that is over to where runs are kept here, each file by its hash, then what is remembered of the
 * data, and tells the conductor that all of it is here. The directory is there as a whole or not at all. Hands back its path;
 * undefined where there is none, or where `signal` aborted before that. Throws `unavailable`.
 */
export async function collectRun(door: DoorClient, collecting: Collecting): Promise<string | undefined> {
  const list = await insist(collecting, () => soundList(door));
  if (list === undefined) return undefined;
  const directory = list.files.length === 0 ? undefined : await copyRun(door, list, collecting);
  await copyRemembered(door, list, collecting);
  if (!collecting.signal.aborted) await endKeeping(door, list, collecting);
  return directory;
}

async function copyRun(door: DoorClient, list: FileList, collecting: Collecting): Promise<string | undefined> {
  const { cwd, run } = collecting;
  const directory = join(runsRoot(cwd), run);
  const folder = await incoming(cwd).catch((error: unknown) => Promise.reject(writeError(directory, error)));
  try {
    for (const file of list.files) await copyFile(door, file, join(folder, file.path), collecting);
    if (collecting.signal.aborted) return undefined;
    await mkdir(join(folder, runFiles.runners), { recursive: true, mode: 0o700 });
    await rename(folder, directory).catch((error: unknown) => {
      // Another one brought the same here meanwhile.
      if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw writeError(directory, error);
    });
    return directory;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What was remembered here before is older than what the command left, unless somebody seeded from here since. */
async function copyRemembered(door: DoorClient, { remembered }: FileList, collecting: Collecting): Promise<void> {
  if (remembered === undefined) return;
  const { cwd, environment, signal } = collecting;
  const root = stateRoot(cwd);
  const folder = await incoming(cwd).catch((error: unknown) => Promise.reject(writeError(root, error)));
  try {
    for (const file of remembered)
      await copyFile({ ...door, file: (path, from) => door.file(path, from, 'remembered') }, file, join(folder, file.path), collecting);
    const { before, ...notes } = rememberedFiles(environment);
    if (signal.aborted || (await countedAt(join(root, before))) > (await countedAt(join(folder, before)))) return;
    for (const name of [before, ...Object.values(notes)])
      if (remembered.some(({ path }) => path === name))
        await rename(join(folder, name), join(root, name)).catch((error: unknown) => Promise.reject(writeError(join(root, name), error)));
      else await rm(join(root, name), { force: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** When what a file remembers was counted; '' where there is none, or nobody knows. */
async function countedAt(file: string): Promise<string> {
  try {
    const { at } = JSON.parse(await readFile(file, 'utf8'));
    return typeof at === 'string' ? at : '';
  } catch {
    return '';
  }
}

/** Tells the conductor that all of a list is here. One that another has collected from is gone soon after. */
async function endKeeping(door: DoorClient, { sha256 }: FileList, following: Following): Promise<void> {
  await insist(following, () => door.collected(sha256)).catch((error: unknown) => {
    if (!(error instanceof LoadctlError)) throw error;
  });
}

async function incoming(cwd: string): Promise<string> {
  await mkdir(runsRoot(cwd), { recursive: true, mode: 0o700 });
  return mkdtemp(join(stateRoot(cwd), 'incoming-'));
}

/** The list of all files; one that arrives damaged is asked for again. */
async function soundList(door: DoorClient): Promise<FileList> {
  const list = await door.files();
  if (hashOfList(list) !== list.sha256) throw new DoorAway('the list of files arrived damaged');
  if ([...list.files, ...(list.remembered ?? [])].some(({ path }) => isAbsolute(path) || path.split('/').includes('..')))
    throw new LoadctlError('unavailable', 'The conductor names files outside of its run directory; nothing was copied.', {
      hint: 'Look at what runs in the image (runners.kubernetes.image).',
    });
  return list;
}

/** As often as it takes until its hash is right. */
async function copyFile(door: DoorClient, listed: ListedFile, to: string, collecting: Collecting): Promise<void> {
  for (let copies = 1; !collecting.signal.aborted; copies += 1) {
    if ((await copyOnce(door, listed, to, collecting)) === listed.sha256) return;
    if (collecting.signal.aborted) return;
    if (copies === maxCopies) throw alwaysDamaged(listed, collecting);
    collecting.damaged(listed.path);
  }
}

/** A copy, continued from where it breaks off as often as it does. Hands back its hash. */
async function copyOnce(door: DoorClient, { path, size }: ListedFile, to: string, collecting: Collecting): Promise<string> {
  const hash = createHash('sha256');
  const file = await create(to);
  let have = 0;
  try {
    await insist(collecting, async (gotOn) => {
      if (have >= size) return;
      for await (const piece of await door.file(path, have)) {
        await file.writeFile(piece).catch((error: unknown) => Promise.reject(writeError(to, error)));
        gotOn();
        hash.update(piece);
        have += piece.length;
        if (have > size) return; // longer than it is: damaged
      }
      if (have < size) throw new DoorAway(`${path} broke off after ${have} of ${size} bytes`);
    });
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function create(path: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return await open(path, 'w', 0o600);
  } catch (error) {
    throw writeError(path, error);
  }
}

function alwaysDamaged({ path }: ListedFile, { run }: Collecting): LoadctlError {
  return new LoadctlError('unavailable', `${path} of run ${run} arrived damaged ${maxCopies} times: its SHA-256 is another one.`, {
    hint: 'The run directory waits in the cluster (runners.kubernetes.keepFor). Collect it from another network: loadctl attach RUN --env ENV',
  });
}
