import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { RunId } from '../../core/ids.js';
import type { World } from '../../core/os.js';
import type { Share } from '../../core/quantities.js';
import { type Change, compareRuns, type Uncompared, uncompared } from '../../metrics/compare/compare.js';
import type { RunNumbers } from '../../metrics/compare/numbers.js';
import { isArchive, unpackRun } from '../../runs/archive/index.js';
import { findRun } from '../../runs/find.js';
import { runsRoot } from '../../runs/layout.js';
import type { RunWatcher } from '../../runs/lock.js';
import { readRunRecord } from '../../runs/record.js';
import { isAlike, mostEarlier, readBaseline } from './baseline.js';
import { runNumbers, validRuns } from './run-numbers.js';

/** What a comparison asks of the system. */
export type CompareWorld = RunWatcher & Pick<World, 'privateFolder'>;

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
  /** Of the newest of the new runs. */
  readonly directory: string;
  /** Where each run is, or would be: of one that a baseline kept, nothing else may be here. */
  readonly directories: ReadonlyMap<RunId, string>;
  readonly changes: readonly Change[];
  /** What has a limit in the new runs and cannot be compared. */
  readonly uncompared: readonly Uncompared[];
  /** So many runs in the files that were named are not of this load, and were passed over. */
  readonly passedOver: number;
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
export async function compareWithEarlier(asked: Asked, world: CompareWorld): Promise<Compared> {
  const opened = await laterRuns(asked, world);
  const later = opened.map(({ numbers }) => numbers);
  const { earlier, passedOver, named } =
    asked.earlier === undefined
      ? { earlier: await foundEarlier(asked.cwd, later, world), passedOver: 0, named: [] }
      : await namedEarlier({ ...asked, earlier: asked.earlier }, later, world);
  if (!asked.anyway) refuseOtherLoads(later, earlier);
  const here = [...later, ...earlier].map(({ run }) => [run, join(runsRoot(asked.cwd), run)] as const);
  return {
    directories: new Map([...here, ...[...opened, ...named].map(({ numbers, directory }) => [numbers.run, directory] as const)]),
    changes: compareRuns(later, earlier, asked.matters),
    uncompared: uncompared(later, earlier),
    passedOver,
    directory: opened.toSorted((a, b) => b.numbers.startedAt - a.numbers.startedAt)[0]?.directory ?? '',
    later,
    earlier,
    circumstances: circumstancesOf(later, earlier),
  };
}

/** A run that was named. */
interface Opened {
  readonly directory: string;
  readonly numbers: RunNumbers;
}

/** Each run once: a copy of its directory is the same one. */
async function laterRuns({ cwd, later }: Asked, world: CompareWorld): Promise<Opened[]> {
  const found: Opened[] = [];
  for (const named of later.length > 0 ? later : [undefined]) {
    const opened = await openFit(cwd, named, world);
    if (found.every(({ numbers }) => numbers.run !== opened.numbers.run)) found.push(opened);
  }
  return found;
}

/** The directory of a run that is named by its id, its folder, or an archive of that. */
async function openRun(cwd: string, named: string | undefined, world: CompareWorld): Promise<string> {
  const isPacked = named !== undefined && (await isArchive(resolve(cwd, named)));
  return isPacked ? unpackRun(resolve(cwd, named), await world.privateFolder()) : findRun(cwd, named);
}

async function openFit(cwd: string, named: string | undefined, world: CompareWorld): Promise<Opened> {
  const directory = await openRun(cwd, named, world);
  return { directory, numbers: await fitRun(directory, world) };
}

/** Each run once. */
function onceEach(runs: readonly RunNumbers[]): RunNumbers[] {
  return runs.filter(({ run }, at) => runs.findIndex((one) => one.run === run) === at);
}

async function fitRun(directory: string, world: RunWatcher): Promise<RunNumbers> {
  const found = await runNumbers(directory, world);
  if ('numbers' in found) return found.numbers;
  const why = found.unfit === 'nothing measured' ? 'it measured nothing' : `its result is ${found.unfit}`;
  const { run } = await readRunRecord(directory);
  throw new LoadctlError('result-invalid', `Run ${run} cannot be compared: ${why}.`, { hint: `loadctl verify ${run} says why.` });
}

interface Earlier {
  readonly earlier: readonly RunNumbers[];
  readonly passedOver: number;
  /** Those that are no part of a file. */
  readonly named: readonly Opened[];
}

/** The runs that are named, and those of this load in the files that are. Throws `usage` where a new run is named. */
async function namedEarlier(
  { cwd, earlier, anyway }: Asked & { readonly earlier: readonly string[] },
  later: readonly RunNumbers[],
  world: CompareWorld,
): Promise<Earlier> {
  const found: RunNumbers[] = [];
  const named: Opened[] = [];
  let passedOver = 0;
  for (const name of earlier) {
    const file = resolve(cwd, name);
    if ((await isFile(file)) && !(await isArchive(file))) {
      const all = withoutLater((await readBaseline(file)) ?? [], later);
      const fit = all.filter((one) => anyway || later.some((other) => isAlike(one, other)));
      passedOver += all.length - fit.length;
      found.push(...fit.slice(-mostEarlier));
    } else {
      const one = await openFit(cwd, name, world);
      const { run } = one.numbers;
      if (later.some((other) => other.run === run))
        throw new LoadctlError('usage', `Run ${run} is on both sides`, { hint: 'Name it before --with or behind it.' });
      named.push(one);
      found.push(one.numbers);
    }
  }
  return { earlier: onceEach(found), passedOver, named };
}

async function foundEarlier(cwd: string, later: readonly RunNumbers[], world: RunWatcher): Promise<RunNumbers[]> {
  const [first] = later;
  const before = Math.min(...later.map(({ startedAt }) => startedAt));
  const found: RunNumbers[] = [];
  if (first === undefined || first.workload === undefined) return found;
  for await (const one of validRuns(cwd, world, first)) {
    if (found.length === mostEarlier) break;
    if (isAlike(one, first) && one.startedAt < before) found.push(one);
  }
  return withoutLater(onceEach(found), later);
}

function withoutLater(runs: readonly RunNumbers[], later: readonly RunNumbers[]): RunNumbers[] {
  return runs.filter(({ run }) => later.every((one) => one.run !== run));
}

/** Throws `refused` where runs did not all make the same load. */
function refuseOtherLoads(later: readonly RunNumbers[], earlier: readonly RunNumbers[]): void {
  const [first, ...others] = [...later, ...earlier];
  const other = others.find((one) => first !== undefined && !isAlike(one, first));
  if (first !== undefined && other !== undefined) throw otherLoad(first, other);
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
    lines: circumstancesOf([first], [other]).map(({ name, before, after }) => `  ${name}: ${after.join(', ')}; ${before.join(', ')}`),
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
