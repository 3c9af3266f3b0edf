import { run } from '../phases/run.js';
import { readPlanFile, refuseOtherPlan } from './approval.js';
import { k6Of } from './k6.js';
import { examples, textOption, withCommonOptions, withProfileOptions } from './options.js';
import { session } from './session.js';
import type { CommandModule } from './types.js';

/** loadctl run */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withProfileOptions(command.option('--plan <FILE>', 'run only what this plan (of `plan --out`) says')))
      .description(
        'Runs k6 from many runners as one test, and judges it against the SLA.\nCtrl-C ends the load, tears down, and keeps what was measured.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl run --env dev', 'the load of profiles/dev.yaml'],
          ['loadctl run --env dev --set workload.vus=10 --set workload.duration=30s', 'a smaller one'],
          ['loadctl run --env dev -e FEATURE=on', 'with a variable for the script'],
          ['LOADCTL_CONFIRM=staging@3f9a0c52b1de loadctl run --plan staging.plan', 'what was approved, in CI'],
        ]),
      ),
  run: async (call) => {
    const file = textOption(call.options, 'plan');
    const approved = file === undefined ? undefined : await readPlanFile(call, file);
    const ofPlan = approved && {
      fallback: { environment: approved.environment },
      check: (planned: Parameters<typeof refuseOtherPlan>[1]) => refuseOtherPlan(approved, planned),
    };
    return session(call, { makesLoad: true, touchesData: false, ...ofPlan }, async (context) => {
      const { directory, verdict, reasons } = await run(context, { k6: await k6Of(context) });
      return { reasons, data: { ...verdict, directory }, text: '' };
    });
  },
};
