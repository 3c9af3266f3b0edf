import { join } from 'node:path';
import { LoadctlError } from '../core/errors.js';
import type { RunId } from '../core/ids.js';
import type { Shell } from '../core/os.js';
import type { Verdict, VerdictWord } from '../core/verdict.js';
import { judgeRun } from '../phases/verify/judgement.js';
import { reasonsInWords } from '../reporters/sentences/words.js';
import { renderTable } from '../reporters/table.js';
import { listRuns } from '../runs/find.js';
import { runFiles, runsRoot } from '../runs/layout.js';
import { readEvents, readJson } from '../runs/read.js';
import { environmentOf, readRunRecord } from '../runs/record.js';
import { isRunning } from '../runs/stop.js';
import { examples, withCommonOptions } from './call/options.js';
import { tableStyle } from './call/style.js';
import type { CommandModule } from './call/types.js';

/** One run of this folder. */
interface ListedRun {
  readonly run: RunId;
  readonly environment: string;
  readonly state: 'running' | 'passed' | 'failed' | 'invalid' | 'interrupted' | 'damaged';
  /** The first of its verdict's reasons, unless it passed. */
  readonly why?: string;
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
    const columns = [...['run', 'environment', 'state'].map((title) => ({ title })), { title: 'why', wraps: true }];
    const rows = runs.map(({ run, environment, state, why = '' }) => [run, environment, state, why]);
    const lines =
      rows.length > 0
        ? renderTable(columns, rows, await tableStyle(call, 'stdout'))
        : [`There is no run in ${runsRoot(shell.cwd)} yet. Start one: loadctl run --env dev`];
    return { reasons: [], data: { runs }, text: `${lines.join('\n')}\n` };
  },
};

const stateOf = { pass: 'passed', fail: 'failed', invalid: 'invalid', interrupted: 'interrupted' } as const satisfies Record<
  VerdictWord,
  string
>;

async function look(run: RunId, shell: Shell): Promise<ListedRun> {
  const directory = join(runsRoot(shell.cwd), run);
  try {
    const written = (await readJson(directory, runFiles.verdict)) as Verdict | undefined;
    const environment = (await environmentOf(directory)) ?? '';
    if (written === undefined && (await isRunning(directory, await readRunRecord(directory), shell)))
      return { run, environment, state: 'running' };
    const { verdict, reasons } = written ?? (await unfinished(directory));
    const why = verdict === 'pass' ? undefined : reasons[0];
    return { run, environment, state: stateOf[verdict], ...(why === undefined ? {} : { why }) };
  } catch (error) {
    if (error instanceof LoadctlError) return { run, environment: '', state: 'damaged', why: error.message };
    throw error;
  }
}

/** What a run without a verdict is: it never came to make load, or it was killed. */
async function unfinished(directory: string): Promise<Pick<Verdict, 'verdict' | 'reasons'>> {
  const { verdict } = await judgeRun(directory);
  const events = await readEvents(directory);
  const ended = events.findLast((event) => event.type === 'phase-finished');
  const told = ended === undefined || events.some((event) => event.type === 'step-failed' || event.type === 'load-ended');
  return told ? verdict : { ...verdict, reasons: [`The run ended before any load was made: ${reasonsInWords(ended.reasons)}.`] };
}
