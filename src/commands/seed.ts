import { withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions } from './call/options.js';
import type { CommandModule } from './call/types.js';
import { carryOut, withDetachOption } from './phases/elsewhere.js';
import { seedCommand } from './phases/seed.js';

/** loadctl seed */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withDetachOption(withPlanOption(withProfileOptions(command))))
      .option('--reset', 'first list and remove seeded rows that were changed since; asks on a terminal')
      .description(
        'Inserts the test data: the rows and cache entries that the profile declares.\nRows that are there already are left alone; rows with other values stop it before anything is written.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl seed --env dev', 'what profiles/dev.yaml declares'],
          ['loadctl seed --env dev --set seed.users.rows=10', 'only ten rows of the set users'],
          ['loadctl seed --env dev --reset', 'seeded rows that were changed, as they were'],
        ]),
      ),
  run: async (call) => carryOut(call, seedCommand, { reset: call.options.reset === true }),
};
