import { join } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import type { Shell } from '../core/os.js';
import type { Verdict } from '../metrics/criterion.js';
import { listRuns, readJson, runFiles, runsRoot } from '../phases/run-directory.js';
import { readRunRecord } from '../phases/run-record.js';
import { renderTable } from '../reporters/table.js';
import { examples, withCommonOptions } from './options.js';
import { tableStyle } from './style.js';
import type { CommandModule } from './types.js';

/** One run of this folder. */
interface ListedRun {
  readonly run: string;
  readonly environment: string;
  readonly state: 'finished' | 'running' | 'unfinished' | 'damaged';
  readonly verdict: string;
}

/** loadctl runs */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command)
      .description('Lists the runs of this folder, newest first.')
      .addHelpText(
        'after',
        examples([
          ['loadctl runs', 'all of them'],
          ['loadctl runs --json', 'as JSON'],
        ]),
      ),
  run: async (call) => {
    const { shell } = call;
    const runs = await Promise.all((await listRuns(shell.cwd)).map((run) => look(run, shell)));
    const columns = ['run', 'environment', 'state', 'verdict'].map((title) => ({ title }));
    const rows = runs.map(({ run, environment, state, verdict }) => [run, environment, state, verdict]);
    const lines =
      rows.length > 0
        ? renderTable(columns, rows, await tableStyle(call, 'stdout'))
        : [`There is no run in ${runsRoot(shell.cwd)} yet. Start one: loadctl run --env dev`];
    return { reasons: [], data: { runs }, text: `${lines.join('\n')}\n` };
  },
};

async function look(run: string, shell: Shell): Promise<ListedRun> {
  const directory = join(runsRoot(shell.cwd), run);
  try {
    const { environment, by } = await readRunRecord(directory);
    const judged = (await readJson(directory, runFiles.verdict)) as Verdict | undefined;
    if (judged !== undefined) return { run, environment, state: 'finished', verdict: judged.verdict };
    const running = by.host === shell.who.host && shell.isAlive(by.pid);
    return { run, environment, state: running ? 'running' : 'unfinished', verdict: '' };
  } catch (error) {
    if (error instanceof LoadctlError) return { run, environment: '', state: 'damaged', verdict: '' };
    throw error;
  }
}
