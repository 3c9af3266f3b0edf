import { realpath, stat } from 'node:fs/promises';
import { errorCode, errorMessage, LoadctlError } from '../../core/errors.js';
import type { Clock } from '../../core/os.js';
import type { RunNumbers } from '../../metrics/compare/numbers.js';
import { readText } from '../../runs/read.js';
import { misfit } from '../../runs/shape.js';
import { writeJson } from '../../runs/write.js';
import { alone } from './alone.js';
import { numbersMisfit } from './numbers-shape.js';

/** A file of runs that later ones are compared with. */
interface Baseline {
  readonly version: 1;
  /** Oldest first. */
  readonly runs: readonly RunNumbers[];
}

/** So many runs of one workload are kept in a baseline, and compared with: the newest. */
export const mostEarlier = 10;

/** The runs of a baseline, oldest first; none where there is no such file. Throws `unavailable` for one that is none. */
export async function readBaseline(file: string): Promise<readonly RunNumbers[] | undefined> {
  const text = await readText(file).catch((error: unknown) => {
    throw unreadable(file, whyOf(error));
  });
  if (text === undefined) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw unreadable(file, errorMessage(error));
  }
  const wrong = baselineMisfit(content);
  if (wrong !== undefined) throw unreadable(file, wrong);
  return (content as Baseline).runs;
}

/** Adds runs to a baseline, or makes it; of each workload the newest stay. What is there already is written again, and others may do the same at once. */
export async function addToBaseline(named: string, runs: readonly RunNumbers[], clock: Pick<Clock, 'sleep'>): Promise<number> {
  // Where it is a link, what it leads to is written.
  const file = await realpath(named).catch(() => named);
  try {
    return await alone(`${file}.lock`, clock, async () => {
      const kept = newest((await readBaseline(file)) ?? [], runs);
      await refuseReadOnly(file);
      await writeJson(file, { version: 1, runs: kept } satisfies Baseline);
      return kept.length;
    });
  } catch (error) {
    if (error instanceof LoadctlError && error.cause === undefined) throw error;
    throw unwritable(named, whyOf(error), error);
  }
}

function newest(before: readonly RunNumbers[], runs: readonly RunNumbers[]): RunNumbers[] {
  const added = new Set(runs.map(({ run }) => run));
  const all = [...before.filter(({ run }) => !added.has(run)), ...runs].sort((a, b) => a.startedAt - b.startedAt);
  return all.filter((one, at) => all.slice(at + 1).filter((later) => isAlike(later, one)).length < mostEarlier);
}

/** Root may write anything; who took the permission away did not mean that. */
async function refuseReadOnly(file: string): Promise<void> {
  const mode = await stat(file).then(
    (found) => found.mode,
    () => writable,
  );
  if ((mode & writable) === 0) throw unwritable(file, 'it is read-only');
}

/** The bits of a mode that let anybody write. */
const writable = 0o222;

/** Whether two runs are of the same environment and made the same load. */
export function isAlike(one: RunNumbers, other: RunNumbers): boolean {
  return one.environment === other.environment && one.workload !== undefined && one.workload === other.workload;
}

function baselineMisfit(content: unknown): string | undefined {
  const shape = misfit(content, { version: 'number', runs: 'list' });
  if (shape !== undefined) return shape;
  const { version, runs } = content as Baseline;
  if (version !== 1) return `its version is ${version}, and this loadctl reads 1`;
  for (const [at, run] of runs.entries()) {
    const wrong = numbersMisfit(run);
    if (wrong !== undefined) return `runs.${at}: ${wrong}`;
  }
  return undefined;
}

/** What the system said, without what a run directory makes of it. */
function whyOf(error: unknown): string {
  return errorCode(error instanceof Error ? error.cause : undefined) ?? errorCode(error) ?? errorMessage(error);
}

function unwritable(file: string, why: string, cause?: unknown): LoadctlError {
  return new LoadctlError('unavailable', `${file} cannot be written: ${why}`, { cause, hint: 'Name another file with --save.' });
}

function unreadable(file: string, why: string): LoadctlError {
  return new LoadctlError('unavailable', `${file} is not a baseline: ${why}`, {
    hint: 'Name a file that `loadctl compare --save FILE` wrote, or a run.',
  });
}
