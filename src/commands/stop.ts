import { findRun } from '../runs/find.js';
import { stopRun } from '../runs/stop.js';
import { examples, profileChoice, withCommonOptions, withProfileOptions } from './call/options.js';
import type { CommandModule } from './call/types.js';

/** loadctl stop */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withProfileOptions(command.argument('[RUN]', 'the id or the folder of a run; the latest one without it')))
      .description('Ends a running run as Ctrl-C in its terminal would: load off, teardown, what was measured is kept.')
      .addHelpText(
        'after',
        examples([
          ['loadctl stop', 'the latest run here, from another terminal'],
          ['loadctl stop --env prod', 'the latest run of prod in its cluster, from any machine'],
        ]),
      ),
  run: async (call) => {
    if (profileChoice(call).source !== undefined) return (await inCluster()).stopInCluster(call);
    const { shell, args } = call;
    const { run } = await stopRun(await findRun(shell.cwd, args[0]), shell);
    return { reasons: [], data: { run, stopped: true }, text: `Run ${run} has ended.\n` };
  },
};

/** Loaded where it is needed: few speak to a cluster. */
const inCluster = () => import('./cluster/runs-in-cluster.js');
