import { LoadctlError } from '../../core/errors.js';
import type { Surroundings } from './types.js';

const oldestMajor = 2;
const saidVersion = /^k6\S* v?((\d+)\.\d+\.\d+\S*)/m;

/** What a binary answered to `k6 version`: its version, or why it has none. */
export type SaidVersion = { readonly version: string; readonly major: number } | { readonly problem: string };

/** Asks a binary for its version. */
export async function askVersion(
  file: string,
  { env, home, execute }: Pick<Surroundings, 'env' | 'home' | 'execute'>,
): Promise<SaidVersion> {
  const said = await execute({ file, args: ['version'], env: { PATH: env.PATH ?? '', HOME: home } }, { timeoutMs: 20_000 });
  if (said.error !== undefined) return { problem: `it could not be started (${said.error})` };
  const match = saidVersion.exec(said.stdout);
  if (said.exitCode === 0 && match) return { version: match[1] ?? '', major: Number(match[2]) };
  const ending = said.exitCode === undefined ? `was ended by ${said.signal ?? 'the system'}` : `exited ${said.exitCode}`;
  return { problem: `"k6 version" ${ending} and named no version` };
}

/** The version of the k6 at `file`; an error where it has none or is too old. `from` says where it was found. */
export async function acceptedVersion(file: string, from: string, surroundings: Surroundings): Promise<string> {
  const said = await askVersion(file, surroundings);
  if ('problem' in said) {
    throw new LoadctlError('unavailable', `${file} (${from}) is not a k6 that runs here: ${said.problem}`, { hint: otherK6 });
  }
  if (said.major < oldestMajor) {
    throw new LoadctlError('unavailable', `${file} (${from}) is k6 v${said.version}: loadctl needs k6 v${oldestMajor}.0 or newer`, {
      hint: otherK6,
    });
  }
  return said.version;
}

const otherK6 = 'Update it, or name a newer one: LOADCTL_K6=/path/to/k6';
