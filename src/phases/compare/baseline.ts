import { errorCode, errorMessage, LoadctlError } from '../../core/errors.js';
import { asRunId } from '../../core/ids.js';
import type { RunNumbers } from '../../metrics/compare/numbers.js';
import { readText } from '../../runs/read.js';
import { misfit, misfitIn } from '../../runs/shape.js';
import { writeJson } from '../../runs/write.js';

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

/** Adds runs to a baseline, or makes it; of each workload the newest stay. What is there already is written again. */
export async function addToBaseline(file: string, runs: readonly RunNumbers[]): Promise<number> {
  const before = (await readBaseline(file)) ?? [];
  const added = new Set(runs.map(({ run }) => run));
  const all = [...before.filter(({ run }) => !added.has(run)), ...runs].sort((a, b) => a.startedAt - b.startedAt);
  const kept = all.filter((one, at) => all.slice(at + 1).filter((later) => isAlike(later, one)).length < mostEarlier);
  await writeJson(file, { version: 1, runs: kept } satisfies Baseline).catch((error: unknown) => {
    throw new LoadctlError('unavailable', `${file} cannot be written: ${whyOf(error)}`, {
      cause: error,
      hint: 'Name another file with --save.',
    });
  });
  return kept.length;
}

/** Whether two runs are of the same environment and made the same load. */
export function isAlike(one: RunNumbers, other: RunNumbers): boolean {
  return one.environment === other.environment && one.workload !== undefined && one.workload === other.workload;
}

function baselineMisfit(content: unknown): string | undefined {
  const { runs } = (content ?? {}) as Partial<Baseline>;
  const shape = misfit(content, { version: 'number', runs: 'list' });
  if (shape !== undefined) return shape;
  if ((content as Baseline).version !== 1) return `its version is ${(content as Baseline).version}, and this loadctl reads 1`;
  const wrong = misfitIn(
    runs,
    { run: 'text', environment: 'text', startedAt: 'number', workload: 'text?', circumstances: 'fields', numbers: 'list' },
    'runs',
  );
  if (wrong !== undefined) return wrong;
  for (const { run, numbers } of runs ?? []) {
    if (asRunId(run) === undefined) return 'runs: run is not the id of a run';
    const odd = misfitIn(
      numbers,
      { name: 'text', unit: 'text', scale: 'text', worse: 'text', value: 'number', low: 'number?', high: 'number?', of: 'number?' },
      'numbers',
    );
    if (odd !== undefined) return odd;
  }
  return undefined;
}

/** What the system said, without what a run directory makes of it. */
function whyOf(error: unknown): string {
  return errorCode(error instanceof Error ? error.cause : undefined) ?? errorMessage(error);
}

function unreadable(file: string, why: string): LoadctlError {
  return new LoadctlError('unavailable', `${file} is not a baseline: ${why}`, {
    hint: 'Name a file that `loadctl compare --save FILE` wrote, or a run.',
  });
}
