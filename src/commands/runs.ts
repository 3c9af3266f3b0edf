import { shellQuote } from '../core/command.js';
import { LoadctlError } from '../core/errors.js';
import type { RunId } from '../core/ids.js';
import type { Shell } from '../core/os.js';
import type { RunNumbers } from '../metrics/compare/numbers.js';
import { validRuns } from '../phases/compare/run-numbers.js';
import { listedRun } from '../phases/verify/list-runs.js';
import { runsCsv } from '../reporters/runs-csv.js';
import { type ListedRun, renderRuns } from '../reporters/runs-table.js';
import { counted } from '../reporters/sentences/words.js';
import { listRuns } from '../runs/find.js';
import { runsRoot } from '../runs/layout.js';
import { isInUse, ownRun, removeRun } from '../runs/remove.js';
import { examples, profileChoice, textOption, withCommonOptions, withProfileOptions } from './call/options.js';
import { tableStyle } from './call/style.js';
import type { Call, CommandModule, Outcome } from './call/types.js';

/** loadctl runs */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(
      withProfileOptions(command)
        .argument('[rm]', 'removes runs: the id or the folder of each')
        .argument('[RUN...]', 'what `rm` removes')
        .option('--csv', 'print those with a valid result as CSV, oldest first, for tools that look for change points')
        .option('--keep <N>', 'remove all but the newest N, and those that are running'),
    )
      .description('Lists the runs of this folder, newest first, and removes them; with --env those in its cluster.')
      .addHelpText(
        'after',
        examples([
          ['loadctl runs', 'all of them'],
          ['loadctl runs --json', 'as JSON'],
          ['loadctl runs --csv > runs.csv', 'their numbers, for a spreadsheet'],
          ['loadctl runs --env prod', 'those that go on, or wait to be collected, in the cluster of prod'],
          ['loadctl runs rm 20261123-195601-k3x9q', 'one run less'],
          ['loadctl runs --keep 20', 'the newest twenty, no others'],
        ]),
      ),
  run: async (call) => {
    const [action, ...named] = call.args;
    const keep = textOption(call.options, 'keep');
    if (call.options.csv === true) return asCsv(call, action ?? (keep === undefined ? undefined : '--keep'));
    if (keep !== undefined) return keepNewest(call, keptCount(keep, action));
    if (action === undefined) return profileChoice(call).source === undefined ? listAll(call) : (await inCluster()).listInCluster(call);
    if (action === 'rm') return removeNamed(call, named);
    throw new LoadctlError('usage', `loadctl runs: unexpected argument \`${action}\``, {
      hint: `Did you mean rm ${action}? Type: loadctl runs rm ${[action, ...named].map(shellQuote).join(' ')}`,
    });
  },
};

/** Loaded where it is needed: few speak to a cluster. */
const inCluster = () => import('./cluster/runs-in-cluster.js');

async function listAll(call: Call): Promise<Outcome> {
  const { shell } = call;
  const runs = await Promise.all((await listRuns(shell.cwd)).map((run) => listedRun(run, shell)));
  const lines =
    runs.length > 0
      ? renderRuns(runs, await tableStyle(call, 'stdout'))
      : [`No runs in ${runsRoot(shell.cwd)} yet. Start one: loadctl run --env dev`];
  return { reasons: [], data: { runs }, text: `${lines.join('\n')}\n` };
}

async function asCsv({ shell, options }: Call, other: string | undefined): Promise<Outcome> {
  const odd = other ?? (options.json === true ? '--json' : undefined);
  if (odd !== undefined)
    throw new LoadctlError('usage', `--csv goes with nothing else, and there is ${odd}`, { hint: 'Type: loadctl runs --csv' });
  const found: RunNumbers[] = [];
  for await (const run of validRuns(shell.cwd, shell)) found.push(run);
  return { reasons: [], data: {}, text: runsCsv(found.toReversed()) };
}

/** All of them, or none where one is in use. */
async function removeNamed({ shell }: Call, named: readonly string[]): Promise<Outcome> {
  if (named.length === 0)
    throw new LoadctlError('usage', 'loadctl runs rm: which runs?', { hint: 'Name them: loadctl runs rm RUN… (loadctl runs lists them)' });
  const runs = [...new Set(await Promise.all(named.map((one) => ownRun(shell.cwd, one))))];
  const [inUse] = await filterAsync(runs, (run) => isInUse(shell.cwd, run, shell));
  if (inUse !== undefined) {
    throw new LoadctlError('refused', `Run ${inUse} is running; nothing was removed.`, { hint: `Stop it first: loadctl stop ${inUse}` });
  }
  return removed(await removeAll(runs, shell), []);
}

async function keepNewest({ shell }: Call, count: number): Promise<Outcome> {
  const older = (await listRuns(shell.cwd)).slice(count);
  const inUse = await filterAsync(older, (run) => isInUse(shell.cwd, run, shell));
  return removed(
    await removeAll(
      older.filter((run) => !inUse.includes(run)),
      shell,
    ),
    inUse,
  );
}

function keptCount(text: string, action: string | undefined): number {
  if (action !== undefined) throw new LoadctlError('usage', '--keep and rm both say what to remove', { hint: 'Give one of them.' });
  if (/^\d+$/.test(text)) return Number(text);
  throw new LoadctlError('usage', `--keep ${text} is not a count of runs`, { hint: 'Type: loadctl runs --keep 20' });
}

/** What went: said as it was listed. */
async function removeAll(runs: readonly RunId[], shell: Shell): Promise<ListedRun[]> {
  const listed = await Promise.all(runs.map((run) => listedRun(run, shell)));
  for (const run of runs) await removeRun(shell.cwd, run);
  return listed;
}

function removed(gone: readonly ListedRun[], inUse: readonly RunId[]): Outcome {
  const lines = [
    ...gone.map(({ run, environment, state }) => `  ${[run, environment, state].filter((word) => word !== '').join('  ')}`),
    ...inUse.map((run) => `  ${run}  kept: it is running`),
  ];
  const head = gone.length === 0 ? 'Nothing was removed.' : `Removed ${counted(gone.length, 'run')}:`;
  return {
    reasons: [],
    data: { removed: gone.map(({ run }) => run), running: inUse },
    text: `${[head, ...lines].join('\n')}\n`,
  };
}

async function filterAsync<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(items.map(test));
  return items.filter((_, at) => kept[at]);
}
