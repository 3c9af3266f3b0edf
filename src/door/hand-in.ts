import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import { asRunId, type RunId } from '../core/ids.js';
import { type PhaseCommandName, type PhaseOptions, phaseCommands } from '../core/phase-command.js';
import type { Milliseconds } from '../core/quantities.js';
import { newTarEntry, tarEnd, tarEntries } from '../core/tar.js';
import type { TakenLock } from '../kubernetes/run-lock.js';
import type { Plan } from '../plan/plan.js';
import type { Variable } from '../profile/variables.js';
import { misfit, type Shape } from '../runs/shape.js';
import { maxHandInBytes } from './protocol.js';

/** The plan, the variables, and what a tar adds to each file. */
const roomForHead = 8 * 1024 * 1024;

/** The file of a hand-in that says what the others are. */
const headName = 'hand-in.json';

/** What a conductor is to carry out: a profile with all that it needs, as it lies where it was planned. Holds secrets. */
export interface HandIn {
  /** The working directory and the profile's file. Absolute, where the hand-in is made; in the conductor they lie in its folder. */
  readonly cwd: string;
  readonly profile: string;
  /** The profile's files, the script's, keys, and what is remembered of the environment's data. Absolute. */
  readonly files: readonly string[];
  /** The profile's file as it was shown, and where each variable came from: what a question says of them. */
  readonly origin: { readonly file: string; readonly variables: readonly Variable[] };
  /** What was approved: nothing else is carried out. */
  readonly plan: Plan;
  readonly command: PhaseCommandName;
  readonly options: PhaseOptions;
  /** What its Job is named by; of a load, its run. */
  readonly run: RunId;
  /** Who runs it. */
  readonly who: { readonly user: string; readonly host: string };
  /** `--set` and `-e`, as they were typed. */
  readonly set: readonly string[];
  readonly scriptEnv: readonly string[];
  /** What variables stand for; kept in memory only. */
  readonly variables: Readonly<Record<string, string>>;
  /** The run ends where nobody has followed it for so long; without it, it goes on. */
  readonly stopUnfollowedMs?: Milliseconds;
  /** How long the run directory waits for somebody who collects it. */
  readonly keepMs: Milliseconds;
  /** What keeps a second run of the same kind out, until the load is over. */
  readonly lock?: TakenLock;
}

interface Head extends Omit<HandIn, 'files'> {
  /** Where each of the other entries belongs, by its name. */
  readonly files: Readonly<Record<string, string>>;
}

const shape = {
  cwd: 'text',
  profile: 'text',
  files: 'fields',
  origin: 'fields',
  plan: 'fields',
  command: 'text',
  options: 'fields',
  run: 'text',
  who: 'fields',
  set: 'list',
  scriptEnv: 'list',
  variables: 'fields',
  stopUnfollowedMs: 'number?',
  keepMs: 'number',
  lock: 'fields?',
} as const satisfies Readonly<Record<string, Shape[string]>>;

/** A hand-in as a tar file. What its files are called there is numbers: a tar's names are short. Throws `invalid-profile` for one that is too large. */
export async function packHandIn(handIn: HandIn): Promise<Buffer> {
  await refuseLarge([...new Set([handIn.profile, ...handIn.files])]);
  const root = commonFolder([handIn.cwd, ...[handIn.profile, ...handIn.files].map(dirname)]);
  const within = (path: string) => relative(root, path);
  const entries = await Promise.all(
    [...new Set([handIn.profile, ...handIn.files])].map(async (path, index) => ({
      name: String(index),
      path: within(path),
      content: await readFile(path),
    })),
  );
  const head: Head = {
    ...handIn,
    cwd: within(handIn.cwd),
    profile: within(handIn.profile),
    files: Object.fromEntries(entries.map(({ name, path }) => [name, path])),
  };
  const packed = [newTarEntry(headName, JSON.stringify(head)), ...entries.map(({ name, content }) => newTarEntry(name, content))];
  return Buffer.concat([...packed.flat(), tarEnd]);
}

/** Before any of it is read. */
async function refuseLarge(paths: readonly string[]): Promise<void> {
  const files = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(path)).size })));
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const room = maxHandInBytes - roomForHead;
  if (total <= room) return;
  const largest = files.toSorted((one, other) => other.size - one.size).slice(0, 3);
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  throw new LoadctlError(
    'invalid-profile',
    `The files of this test are too large to be handed to a conductor: ${mebibytes(total)} of ${mebibytes(room)} at most.`,
    {
      lines: largest.map(({ path, size }) => `  ${path}  ${mebibytes(size)}`),
      hint: 'Have the script open smaller files, or fetch them from the target in setup().',
    },
  );
}

/** The deepest folder that holds all of these. */
function commonFolder(folders: readonly string[]): string {
  const [first = [], ...others] = folders.map((folder) => folder.split(sep));
  const parts = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  return first.slice(0, parts < 0 ? first.length : parts).join(sep) || sep;
}

/** Unpacks a hand-in into a folder of its own. Throws `unavailable` where it is not what {@link packHandIn} makes; then nothing was written. */
export async function unpackHandIn(tar: Buffer, folder: string): Promise<HandIn> {
  const entries = new Map([...tarEntries(tar)].map(({ name, content }) => [name, content]));
  const head = headOf(entries.get(headName));
  const inFolder = (path: string) => placeIn(folder, path);
  const files = Object.entries(head.files).map(([name, path]) => {
    const content = entries.get(name);
    if (content === undefined) throw misshapen(`the file ${path} is missing`);
    return { path: inFolder(path), content };
  });
  const [cwd, profile] = [inFolder(head.cwd), inFolder(head.profile)];
  await mkdir(cwd, { recursive: true, mode: 0o700 });
  for (const { path, content } of files) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, content, { mode: 0o600 });
  }
  return { ...head, cwd, profile, files: files.map(({ path }) => path) };
}

function headOf(content: Buffer | undefined): Head {
  if (content === undefined) throw misshapen(`${headName} is missing`);
  try {
    const head: unknown = JSON.parse(content.toString());
    const wrong = misfit(head, shape) ?? unknownIn(head as Head);
    if (wrong === undefined) return head as Head;
    throw misshapen(wrong);
  } catch (error) {
    throw error instanceof LoadctlError ? error : misshapen('it is not JSON');
  }
}

function unknownIn({ run, command }: Head): string | undefined {
  if (asRunId(run) === undefined) return 'run is not the id of a run';
  return phaseCommands.includes(command) ? undefined : `there is no command ${command}`;
}

/** What leads out of the folder is refused. */
function placeIn(folder: string, path: string): string {
  const way = normalize(path);
  if (isAbsolute(way) || way.split(sep)[0] === '..') throw misshapen(`${path} leads out of it`);
  return join(folder, way);
}

function misshapen(what: string): LoadctlError {
  return new LoadctlError('unavailable', `The hand-in is not one that this loadctl knows: ${what}.`, {
    hint: 'Use the image of the same version as this loadctl (runners.kubernetes.image).',
  });
}
