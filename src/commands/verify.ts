import { LoadctlError } from '../core/errors.js';
import { measuredNumbers } from '../metrics/endpoint-numbers.js';
import type { FetchedPoints } from '../phases/verify/fetch-points.js';
import { verify, verifyWithLate } from '../phases/verify/verify.js';
import { counted } from '../reporters/sentences/words.js';
import { renderVerdict } from '../reporters/verdict-table.js';
import { findRun } from '../runs/find.js';
import { madeOf } from '../runs/read.js';
import { examples, profileChoice, withCommonOptions } from './call/options.js';
import { planProfile } from './call/profile.js';
import { tableStyle } from './call/style.js';
import type { Call, CommandModule } from './call/types.js';

/** loadctl verify */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(
      command
        .argument('[RUN]', 'the id or the folder of a run; the latest one here without it')
        .option('--fetch', 'ask CloudWatch once more for the points of the run first')
        .option('--env <NAME>', 'with --fetch: the environment whose profile holds the credentials for that')
        .option('--profile <FILE>', 'with --fetch: the same by its file'),
    )
      .description('Judges a run against its SLA again, from its directory alone; with --fetch also by points that came late.')
      .addHelpText(
        'after',
        examples([
          ['loadctl verify', 'the latest run here'],
          ['loadctl verify 20261123-195601-k3x9q --json', 'its verdict.json'],
          ['loadctl verify --fetch', 'the latest run here, by what CloudWatch says of it by now'],
        ]),
      ),
  run: async (call) => {
    const [named] = call.args;
    const directory = await findRun(call.shell.cwd, named);
    if (named === undefined && !call.style.quiet) call.shell.stderr.write(`The latest run here: ${directory}\n`);
    return madeOf(directory, async () => {
      const { verdict, summary, record, reasons } = await judged(call, directory);
      const measured = summary === undefined ? undefined : measuredNumbers(summary, record.plan.steady);
      return { reasons, data: { ...verdict }, text: renderVerdict(verdict, measured, await tableStyle(call, 'stdout')) };
    });
  },
};

async function judged(call: Call, directory: string) {
  const isNamed = profileChoice(call).source !== undefined;
  if (call.options.fetch !== true) {
    if (isNamed)
      throw new LoadctlError('usage', 'verify judges a run directory; a profile is read with --fetch only', {
        hint: 'Name the run: loadctl verify RUN',
      });
    return verify(directory, call.shell);
  }
  const now = isNamed ? await planProfile(call, 'required') : undefined;
  const { fetched, ...judgement } = await verifyWithLate(directory, call.shell, now);
  if (!call.style.quiet) call.shell.stderr.write(`${fetchedText(fetched)}\n`);
  return judgement;
}

function fetchedText(fetched: readonly FetchedPoints[]): string {
  if (fetched.length === 0) return 'Nothing to fetch: no monitor of this run is a cloudwatch.';
  return fetched.map(({ monitor, source, points }) => `${monitor}: ${counted(points, 'point')} of ${source}`).join('\n');
}
