import { measuredNumbers } from '../metrics/endpoint-numbers.js';
import { verify } from '../phases/verify/verify.js';
import { renderVerdict } from '../reporters/verdict-table.js';
import { findRun } from '../runs/find.js';
import { examples, withCommonOptions } from './call/options.js';
import { tableStyle } from './call/style.js';
import type { CommandModule } from './call/types.js';

/** loadctl verify */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command.argument('[RUN]', 'the id or the folder of a run; the latest one here without it'))
      .description('Judges a run against its SLA again, from its directory alone.')
      .addHelpText(
        'after',
        examples([
          ['loadctl verify', 'the latest run here'],
          ['loadctl verify 20261123-195601-k3x9q --json', 'its verdict.json'],
        ]),
      ),
  run: async (call) => {
    const [named] = call.args;
    const directory = await findRun(call.shell.cwd, named);
    if (named === undefined && !call.style.quiet) call.shell.stderr.write(`The latest run here: ${directory}\n`);
    const { verdict, summary, record, reasons } = await verify(directory, call.shell);
    const measured = summary === undefined ? undefined : measuredNumbers(summary, record.plan.steady);
    return { reasons, data: { ...verdict }, text: renderVerdict(verdict, measured, await tableStyle(call, 'stdout')) };
  },
};
