import { LoadctlError } from '../core/errors.js';
import { test } from '../phases/test.js';
import { approvedPlan, withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions, withViewOption } from './call/options.js';
import type { Planned } from './call/profile.js';
import { withReportOption } from './call/reports.js';
import { knownTest, session } from './call/session.js';
import type { CommandModule } from './call/types.js';

/** loadctl test */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withViewOption(withReportOption(withPlanOption(withProfileOptions(command)))))
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
    const act = { command: 'test', does: ['seed', 'load', 'cleanup'], seeded, elsewhere: refusePods } as const;
    return session(call, { ...act, ...(await approvedPlan(call)) }, async (context, known) =>
      test(context, { test: knownTest(known), seeded }),
    );
  },
};

/** What a run in a cluster writes is seeded and cleaned up from here, by commands of their own. */
function refusePods({ loaded, plan: { fleet, environment }, backend }: Planned): undefined {
  if (fleet.backend !== 'kubernetes' || loaded.profile.runners.kubernetes === undefined || !backend.isBuilt) return undefined;
  const [seed, run, cleanup] = ['seed', 'run', 'cleanup'].map((name) => `loadctl ${name} --env ${environment}`);
  throw new LoadctlError('unavailable', 'loadctl test does not conduct runs in a cluster yet; nothing was done.', {
    hint: `Type them one by one: ${seed} && ${run}; ${cleanup}`,
  });
}
