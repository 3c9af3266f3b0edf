import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { Share } from '../../core/quantities.js';
import { type Change, compareRuns } from '../../metrics/compare/compare.js';
import type { RunNumbers } from '../../metrics/compare/numbers.js';
import { findRun } from '../../runs/find.js';
import type { RunWatcher } from '../../runs/lock.js';
import { isAlike, mostEarlier, readBaseline } from './baseline.js';
import { runNumbers, validRuns } from './run-numbers.js';

/** What is compared with what. */
export interface Sides {
  readonly later: readonly RunNumbers[];
  readonly earlier: readonly RunNumbers[];
}

/** Something that is not the same on both sides, or not in all runs: a change may be of that. */
export interface Circumstance {
  readonly name: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** A comparison, and what else differs. */
export interface Compared extends Sides {
  readonly changes: readonly Change[];
  readonly circumstances: readonly Circumstance[];
}

/** The share from which on a change matters, where nobody says another one. */
export const usualMatters: Share = 0.05;

/** Whether a number with a limit changed for the worse. */
export function isWorse({ changes }: Pick<Compared, 'changes'>): boolean {
  return changes.some(({ gated, word }) => gated && word === 'worse');
}

/** What a comparison is asked for. */
export interface Asked {
  readonly cwd: string;
  /** Ids or folders; the latest run here where there are none. */
  readonly later: readonly string[];
  /** Ids, folders, or files of a baseline; the newest valid earlier runs here of the same load where it is missing. */
  readonly earlier?: readonly string[];
  /** Runs of other loads may be compared, too. */
  readonly anyway: boolean;
  /** The share from which on a change matters. */
  readonly matters: number;
}

/** Compares runs with earlier ones. Throws `result-invalid` for a new run that has no valid result, `refused` for another load. */
export async function compareWithEarlier(asked: Asked, world: RunWatcher): Promise<Compared> {
  const later = await laterRuns(asked, world);
  const earlier =
    asked.earlier === undefined ? await foundEarlier(asked.cwd, later, world) : await namedEarlier(asked.cwd, asked.earlier, later, world);
  return compared({ later, earlier }, asked);
}

/** The same of sides that are known. */
export function compared({ later, earlier }: Sides, { anyway, matters }: Pick<Asked, 'anyway' | 'matters'>): Compared {
  const [first] = later;
  const other = first && [...later, ...earlier].find((one) => !isAlike(one, first));
  if (other !== undefined && first !== undefined && !anyway) throw otherLoad(first, other);
  return { changes: compareRuns(later, earlier, matters), later, earlier, circumstances: circumstancesOf(later, earlier) };
}

async function laterRuns({ cwd, later }: Asked, world: RunWatcher): Promise<RunNumbers[]> {
  const directories = await Promise.all((later.length > 0 ? later : [undefined]).map((one) => findRun(cwd, one)));
  const found: RunNumbers[] = [];
  for (const directory of new Set(directories)) found.push(await fitRun(directory, world));
  return found;
}

async function fitRun(directory: string, world: RunWatcher): Promise<RunNumbers> {
  const found = await runNumbers(directory, world);
  if ('numbers' in found) return found.numbers;
  const why = found.unfit === 'nothing measured' ? 'it measured nothing' : `its result is ${found.unfit}`;
  throw new LoadctlError('result-invalid', `Run ${basename(directory)} cannot be compared: ${why}.`, {
    hint: `loadctl verify ${basename(directory)} says why.`,
  });
}

async function namedEarlier(
  cwd: string,
  earlier: readonly string[],
  later: readonly RunNumbers[],
  world: RunWatcher,
): Promise<RunNumbers[]> {
  const found = new Map<string, RunNumbers>();
  for (const named of earlier) {
    const runs = (await isFile(resolve(cwd, named)))
      ? await ofBaseline(resolve(cwd, named), later)
      : [await fitRun(await findRun(cwd, named), world)];
    for (const one of runs) found.set(one.run, one);
  }
  const both = later.find(({ run }) => earlier.includes(run));
  if (both !== undefined)
    throw new LoadctlError('usage', `Run ${both.run} is on both sides`, { hint: 'Name it before --with or behind it.' });
  return withoutLater([...found.values()], later);
}

/** Those of the same load as the new runs: a baseline may hold several. */
async function ofBaseline(file: string, [first]: readonly RunNumbers[]): Promise<RunNumbers[]> {
  const all = (await readBaseline(file)) ?? [];
  return all.filter((one) => first !== undefined && isAlike(one, first)).slice(-mostEarlier);
}

async function foundEarlier(cwd: string, later: readonly RunNumbers[], world: RunWatcher): Promise<RunNumbers[]> {
  const [first] = later;
  const before = Math.min(...later.map(({ startedAt }) => startedAt));
  const found: RunNumbers[] = [];
  for await (const one of validRuns(cwd, world)) {
    if (found.length === mostEarlier) break;
    if (first !== undefined && isAlike(one, first) && one.startedAt < before) found.push(one);
  }
  return withoutLater(found, later);
}

function withoutLater(runs: readonly RunNumbers[], later: readonly RunNumbers[]): RunNumbers[] {
  return runs.filter(({ run }) => later.every((one) => one.run !== run));
}

function otherLoad(first: RunNumbers, other: RunNumbers): LoadctlError {
  const isUnknown = first.workload === undefined || other.workload === undefined;
  const why =
    first.environment === other.environment
      ? isUnknown
        ? 'one of them is of a loadctl that did not note what makes its load'
        : 'they made different loads (script, scenarios, VUs, rates, durations, mix, window or runners)'
      : `one is of ${first.environment}, the other of ${other.environment}`;
  return new LoadctlError('refused', `Runs ${first.run} and ${other.run} are not of one kind: ${why}.`, {
    hint: 'Compare runs of one load, or add --anyway.',
  });
}

function circumstancesOf(later: readonly RunNumbers[], earlier: readonly RunNumbers[]): Circumstance[] {
  const names = [...new Set([...later, ...earlier].flatMap(({ circumstances }) => Object.keys(circumstances)))];
  const valuesIn = (runs: readonly RunNumbers[], name: string) => [
    ...new Set(runs.flatMap(({ circumstances }) => circumstances[name] ?? [])),
  ];
  return names.flatMap((name) => {
    const [before, after] = [valuesIn(earlier, name), valuesIn(later, name)];
    return new Set([...before, ...after]).size > 1 && before.length > 0 ? [{ name, before, after }] : [];
  });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
