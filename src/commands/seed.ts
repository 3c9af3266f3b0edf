import { redactData } from '../core/redact-data.js';
import { seed } from '../phases/data/seed.js';
import { keepCountedBefore } from '../runs/counted-before.js';
import { approvedPlan, withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions } from './call/options.js';
import { session } from './call/session.js';
import type { CommandModule } from './call/types.js';

/** loadctl seed */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withPlanOption(withProfileOptions(command)))
      .description(
        'Puts the test data in: the rows and cache entries that the profile declares.\nRows that are there already are left alone; rows with other values stop it before anything is written.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl seed --env dev', 'what profiles/dev.yaml declares'],
          ['loadctl seed --env dev --set seed.0.rows=10', 'only ten rows of the first step'],
        ]),
      ),
  run: async (call) =>
    session(call, { command: 'seed', does: ['seed'], ...(await approvedPlan(call)) }, async (context) => {
      const { profile, world, redact } = context;
      const { before } = await seed(context);
      if (before !== undefined) await keepCountedBefore(world.cwd, profile.environment, redactData(before, redact));
      return { reasons: [] };
    }),
};
