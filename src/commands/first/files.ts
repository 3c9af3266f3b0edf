import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, errorMessage, LoadctlError } from '../../core/errors.js';
import type { World } from '../../core/os.js';
import { loadProfile } from '../../profile/load.js';
import { filesWith } from '../call/profile.js';
import type { Known } from './answers.js';
import { baseProfile } from './base-profile.js';
import { devProfile, prodProfile, stagingProfile } from './environments.js';
import { envExample, firstScript, gitIgnore, variablesOf, workflow } from './other-files.js';

/** A file as it will be; `extends`: it is there already, and lines are added at its end. */
export interface FirstFile {
  readonly name: string;
  readonly content: string;
  readonly extends: boolean;
}

/** The names of the files that are written whatever is answered. */
export const profileFiles = ['base', 'dev', 'staging', 'prod'].map((name) => `profiles/${name}.yaml`);

/** Where GitHub looks for it, at the root of a repository. */
export const workflowFile = '.github/workflows/load-test.yml';

/** All first files, and those that get more lines; none of them is written yet. */
export function firstFiles(known: Known, folder: string): FirstFile[] {
  const texts = [baseProfile(known), devProfile(known), stagingProfile(known), prodProfile(known)];
  const variables = variablesOf(known).map(([name]) => name);
  return [
    ...profileFiles.map((name, index) => ({ name, content: texts[index] ?? '', extends: false })),
    ...(known.script === undefined ? [{ name: 'k6/first.js', content: firstScript, extends: false }] : []),
    ...(known.ci ? [{ name: workflowFile, content: workflow(variables), extends: false }] : []),
    ...extended(folder, '.env.example', (there) => envExample(known, there)),
    ...extended(folder, '.gitignore', gitIgnore),
  ];
}

/** A file of lines, which keeps those that it has. */
function extended(folder: string, name: string, lacking: (there: string) => readonly string[]): FirstFile[] {
  const path = join(folder, name);
  const there = existsSync(path) ? linesIn(path, name) : undefined;
  const missing = lacking(there ?? '');
  if (missing.length === 0) return [];
  const before = there === undefined || there === '' || there.endsWith('\n') ? (there ?? '') : `${there}\n`;
  return [{ name, content: `${before}${missing.join('\n')}\n`, extends: there !== undefined }];
}

function linesIn(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unwritable(name, cause);
  }
}

/** Throws `usage` where one of these files is there: what somebody wrote is not overwritten. */
export function refuseExisting(names: readonly string[], folder: string): void {
  const there = names.filter((name) => existsSync(join(folder, name)));
  if (there.length === 0) return;
  throw new LoadctlError('usage', `${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} there already: nothing was written`, {
    hint: 'Overwrite with --force, or go to an empty folder.',
  });
}

/** Reads the profiles as any command would, before they are written; what variables happen to hold here is not theirs. Throws `invalid-profile`. */
export function checkProfiles(files: readonly FirstFile[], { cwd, home }: Pick<World, 'cwd' | 'home'>): void {
  const made = filesWith(files.map(({ name, content }) => ({ file: join(cwd, name), text: content })));
  const withoutVariables = { ...made, readFile: (path: string) => (basename(path).startsWith('.env') ? undefined : made.readFile(path)) };
  for (const environment of ['dev', 'staging', 'prod'])
    loadProfile(
      { file: join(cwd, 'profiles', `${environment}.yaml`) },
      { cwd, env: {}, home, files: withoutVariables, secrets: 'optional' },
    );
}

/** Writes them, or none of them. Throws `unavailable` where one cannot be written. */
export async function writeFiles(files: readonly FirstFile[], folder: string): Promise<void> {
  const undo: (() => Promise<unknown>)[] = [];
  for (const { name, content } of files) {
    const path = join(folder, name);
    try {
      undo.push(await makeFolder(dirname(path)));
      const before = existsSync(path) ? await readFile(path) : undefined;
      undo.push(() => (before === undefined ? rm(path, { force: true }) : writeFile(path, before)));
      await writeFile(path, content);
    } catch (cause) {
      for (const takeBack of undo.reverse()) await takeBack().catch(() => undefined);
      throw unwritable(name, cause);
    }
  }
}

/** Makes a folder with those above it; what is handed back removes as many of them as were made and are empty. */
async function makeFolder(folder: string): Promise<() => Promise<void>> {
  const first = await mkdir(folder, { recursive: true });
  return async () => {
    for (let made = folder; first !== undefined && made.startsWith(first); made = dirname(made)) await rmdir(made);
  };
}

function unwritable(name: string, cause: unknown): LoadctlError {
  const isInTheWay = ['EEXIST', 'ENOTDIR', 'EISDIR'].includes(errorCode(cause) ?? '');
  return new LoadctlError('unavailable', `${name} cannot be written: ${errorMessage(cause)}. Nothing was written.`, {
    hint: isInTheWay ? 'Something else has that name: move it, or go to an empty folder.' : 'Go to a folder that you may write to.',
    cause,
  });
}
