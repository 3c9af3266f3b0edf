import { LoadctlError } from '../core/errors.js';
import { approvedPlan, withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions } from './call/options.js';
import type { Planned } from './call/profile.js';
import { session } from './call/session.js';
import type { CommandModule } from './call/types.js';
import { cleanupCommand } from './phases/cleanup.js';
import { elsewhere, withDetachOption } from './phases/elsewhere.js';

/** loadctl cleanup */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withDetachOption(withPlanOption(withProfileOptions(command))))
      .option('--dry-run', 'only count, and show what would be deleted')
      .option('--seeded', 'also remove seeded rows that were not changed')
      .description(
        'Removes the test data, and proves it with a receipt.\nIt needs no run directory: it works from another machine and after a crash.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl cleanup --env dev --dry-run', 'what would go'],
          ['loadctl cleanup --env dev', 'what the test wrote'],
          ['loadctl cleanup --env dev --seeded', 'and what was seeded for it'],
        ]),
      ),
  run: async (call) => {
    const options = { dryRun: call.options.dryRun === true, seeded: call.options.seeded === true };
    const { fallback, decide } = await approvedPlan(call);
    const decideHere = (planned: Planned) => {
      if (fallback === undefined) wantsWords(planned);
      return decide(planned);
    };
    const act = {
      ...cleanupCommand.act(options),
      command: 'cleanup',
      elsewhere: elsewhere(call, cleanupCommand, options),
      ...(fallback === undefined ? {} : { fallback }),
      decide: decideHere,
    } as const;
    return session(call, act, (context, known) => cleanupCommand.work(call, options, context, known));
  },
};

/** Data beyond this machine is deleted only where somebody said whose. */
function wantsWords({ plan, named }: Planned): void {
  if (named || plan.beyondLoopback.length === 0) return;
  throw new LoadctlError('refused', `cleanup on ${plan.beyondLoopback.join(', ')} requires --env.`, {
    hint: `loadctl cleanup --env ${plan.environment}`,
  });
}
