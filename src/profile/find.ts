import { basename, join, resolve } from 'node:path';
import { shellQuote } from '../core/command.js';
import { isEnvironmentName } from '../core/environment-name.js';
import { LoadctlError } from '../core/errors.js';
import { shownPath } from '../core/shown-path.js';
import { readChain } from './chain.js';
import { nodeAt, type Tree } from './document/tree.js';
import { nearFile, type ProfileFiles } from './files.js';
import { environmentOptionProblem } from './overrides.js';
import { allOf, nearest } from './words/near.js';

/** Which profile is meant: an environment's, or a file. */
export type ProfileSource = { readonly environment: string } | { readonly file: string };

const ending = /\.ya?ml$/;

/** The profile's file, absolute, and the name of its environment where the file does not say. */
export function findProfile(source: ProfileSource, cwd: string, files: ProfileFiles): { file: string; environment: string } {
  if ('file' in source) return namedFile(resolve(cwd, source.file), cwd, files);
  const confused = environmentOptionProblem(source.environment);
  if (confused) throw confused;
  const found = isEnvironmentName(source.environment)
    ? ['yaml', 'yml'].map((end) => join(cwd, 'profiles', `${source.environment}.${end}`)).find((file) => files.readFile(file) !== undefined)
    : undefined;
  if (found !== undefined) return { file: found, environment: source.environment };
  throw unknownEnvironment(source.environment, cwd, files);
}

/** The environments that a folder has profiles for. A profile that others extend is listed unless it lacks a target or a script. */
export function environmentsIn(folder: string, files: ProfileFiles): string[] {
  const profiles = files.listFolder(folder).filter((name) => ending.test(name));
  const chains = profiles.map((name) => ({ name, chain: readChain(join(folder, name), folder, files) }));
  const bases = new Set(chains.flatMap(({ chain }) => chain.files.slice(1)));
  return chains
    .filter(({ name, chain }) => !bases.has(join(folder, name)) || isComplete(chain.tree))
    .map(({ name }) => name.replace(ending, ''))
    .sort();
}

function isComplete(tree: Tree): boolean {
  const has = (...path: string[]) => nodeAt(tree, path) !== undefined;
  return (has('target', 'url') || has('target', 'colours')) && has('workload', 'script');
}

function namedFile(file: string, cwd: string, files: ProfileFiles): { file: string; environment: string } {
  if (files.readFile(file) !== undefined) return { file, environment: basename(file).replace(ending, '').toLowerCase() };
  const near = nearFile(file, files);
  throw new LoadctlError('invalid-profile', `Profile ${shownPath(file, cwd)} does not exist`, {
    hint: near === undefined ? 'Give a file with --profile, or write one with `loadctl init`' : `Did you mean ${near}?`,
  });
}

function unknownEnvironment(name: string, cwd: string, files: ProfileFiles): LoadctlError {
  const known = environmentsIn(join(cwd, 'profiles'), files);
  if (known.length === 0) {
    return new LoadctlError('invalid-profile', `Unknown environment \`${name}\`: no profile found in profiles/`, {
      hint: files.readFile(resolve(cwd, name)) === undefined ? firstProfile : `Did you mean --profile ${shellQuote(name)}?`,
    });
  }
  return new LoadctlError('invalid-profile', `Unknown environment \`${name}\`: \`profiles\` has ${allOf(known)}`, {
    hint: environmentHint(name, known, files.readFile(resolve(cwd, name)) !== undefined),
  });
}

const firstProfile = 'Write a first profile with `loadctl init`, or name a file with --profile FILE';

/** An environment is a name: a file's may stand for one, or is what `--profile` takes. */
function environmentHint(name: string, known: readonly string[], isFile: boolean): string {
  const plain = /^(?:\.\/)?(?:profiles\/)?([\w-]+?)(?:\.ya?ml)?$/.exec(name)?.[1];
  if (plain !== undefined && known.includes(plain)) return `Did you mean --env ${plain}?`;
  if (isFile) return `Did you mean --profile ${shellQuote(name)}?`;
  const near = nearest(plain ?? name, known);
  if (near !== undefined) return `Did you mean --env ${near}?`;
  return plain === name
    ? `Write profiles/${name}.yaml, or name one of these with --env`
    : 'Name one of these with --env, or a file with --profile FILE';
}
