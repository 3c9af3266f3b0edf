import { test } from '../phases/test.js';
import { approvedPlan, withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions } from './call/options.js';
import { knownTest, session } from './call/session.js';
import type { CommandModule } from './call/types.js';

/** loadctl test */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withPlanOption(withProfileOptions(command)))
      .option('--seeded', 'also remove seeded rows that were not changed')
      .description('The whole test: seed, run, verify, cleanup. Cleanup runs whatever happened before it.')
      .addHelpText(
        'after',
        examples([
          ['loadctl test --env dev', 'from seed to receipt'],
          ['loadctl test --env dev --seeded', 'and also remove what was seeded'],
        ]),
      ),
  run: async (call) => {
    const seeded = call.options.seeded === true;
    const act = { command: 'test', does: ['seed', 'load', 'cleanup'], seeded } as const;
    return session(call, { ...act, ...(await approvedPlan(call)) }, async (context, known) =>
      test(context, { test: knownTest(known), seeded }),
    );
  },
};
