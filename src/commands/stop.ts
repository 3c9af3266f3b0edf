import { findRun } from '../runs/find.js';
import { stopRun } from '../runs/stop.js';
import { examples, withCommonOptions } from './call/options.js';
import type { CommandModule } from './call/types.js';

/** loadctl stop */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(command.argument('[RUN]', 'the id or the folder of a run; the latest one here without it'))
      .description('Ends a running run as Ctrl-C in its terminal would: load off, teardown, what was measured is kept.')
      .addHelpText('after', examples([['loadctl stop', 'the latest run here, from another terminal']])),
  run: async ({ shell, args }) => {
    const { run } = await stopRun(await findRun(shell.cwd, args[0]), shell);
    return { reasons: [], data: { run, stopped: true }, text: `Run ${run} has ended.\n` };
  },
};
