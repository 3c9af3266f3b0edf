import { withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions, withViewOption } from './call/options.js';
import { withReportOption } from './call/reports.js';
import type { CommandModule } from './call/types.js';
import { carryOut, withDetachOption } from './phases/elsewhere.js';
import { testCommand } from './phases/test.js';

/** loadctl test */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withViewOption(withDetachOption(withReportOption(withPlanOption(withProfileOptions(command))))))
      .option('--seeded', 'also remove seeded rows that were not changed')
      .description('The whole test: seed, run, verify, cleanup. Cleanup runs whatever happened before it.')
      .addHelpText(
        'after',
        examples([
          ['loadctl test --env dev', 'from seed to receipt'],
          ['loadctl test --env dev --seeded', 'and also remove what was seeded'],
        ]),
      ),
  run: async (call) => carryOut(call, testCommand, { seeded: call.options.seeded === true }),
};
