import { attach } from '../runs/attach.js';
import { findRun } from '../runs/find.js';
import { madeOf } from '../runs/read.js';
import { readRunRecord } from '../runs/record.js';
import { examples, profileChoice, withCommonOptions, withProfileOptions, withViewOption } from './call/options.js';
import { openReporter } from './call/session.js';
import type { CommandModule } from './call/types.js';

/** loadctl attach */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(
      withViewOption(withProfileOptions(command.argument('[RUN]', 'the id or the folder of a run; the latest one without it'))),
    )
      .description(
        'Shows a running run live, from another terminal; with --env one in a cluster, whose directory it brings here.\nCtrl-C leaves; the run goes on. Exits with 0 whatever the verdict; loadctl verify exits by it.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl attach', 'the latest run here'],
          ['loadctl attach --env prod', 'the latest run of prod in its cluster, from any machine'],
        ]),
      ),
  run: async (call) => {
    if (profileChoice(call).source !== undefined) return (await inCluster()).attachInCluster(call);
    const { shell } = call;
    const directory = await findRun(shell.cwd, call.args[0]);
    const { run } = await readRunRecord(directory);
    const leave = new AbortController();
    const stopListening = shell.onInterrupt(() => leave.abort());
    const reporter = await openReporter(call);
    try {
      const how = await madeOf(directory, () => attach(directory, shell, (event) => reporter.handle(event), leave.signal));
      return { reasons: [], data: { run, ended: how === 'ended' }, text: how === 'left' ? `Left; run ${run} goes on.\n` : '' };
    } finally {
      reporter.close();
      stopListening();
    }
  },
};

/** Loaded where it is needed: few speak to a cluster. */
const inCluster = () => import('./cluster/runs-in-cluster.js');
