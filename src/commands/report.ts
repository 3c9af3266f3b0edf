import { resolve } from 'node:path';
import { shownPath } from '../core/shown-path.js';
import { keepPage } from '../phases/report/keep-page.js';
import { readResult } from '../phases/report/read-result.js';
import { requireOver } from '../phases/verify/verify.js';
import { findRun } from '../runs/find.js';
import { examples, textOption, withCommonOptions } from './call/options.js';
import type { CommandModule } from './call/types.js';

/** loadctl report */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command.argument('[RUN]', 'the id or the folder of a run; the latest one here without it'))
      .option('--out <FILE>', 'write the page there, and not into the run directory')
      .description('Writes the page of a run, report.html, from its directory alone. One file that asks for nothing.')
      .addHelpText(
        'after',
        examples([
          ['loadctl report', 'the page of the latest run here'],
          ['loadctl report 20261123-195601-k3x9q --out result.html', 'of another one, elsewhere'],
        ]),
      ),
  run: async (call) => {
    const { cwd } = call.shell;
    const out = textOption(call.options, 'out');
    const directory = await findRun(cwd, call.args[0]);
    await requireOver(directory, call.shell);
    const file = await keepPage(directory, await readResult(directory), out === undefined ? undefined : resolve(cwd, out));
    return { reasons: [], data: { file }, text: `${shownPath(file, cwd)}\n` };
  },
};
