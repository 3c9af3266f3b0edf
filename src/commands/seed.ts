import { keepCountedBefore } from '../phases/counted-before.js';
import { seed } from '../phases/seed.js';
import { renderSeed } from '../reporters/seed-table.js';
import { approvedPlan, withPlanOption } from './approved-plan.js';
import { examples, withCommonOptions, withProfileOptions } from './options.js';
import { session } from './session.js';
import { tableStyle } from './style.js';
import type { CommandModule } from './types.js';

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
    session(call, { does: ['seed'], ...(await approvedPlan(call)) }, async ({ profile, emit, world, signal, redact }) => {
      const report = await seed({ profile, emit, clock: world.clock, who: world.who, signal });
      if (report.before !== undefined) await keepCountedBefore(world.cwd, profile.environment, report.before, redact);
      return {
        reasons: [],
        data: { environment: profile.environment, ...report },
        text: renderSeed(report.stores, await tableStyle(call, 'stdout')),
      };
    }),
};
