import { LoadctlError } from '../core/errors.js';
import { redactData } from '../core/redact-data.js';
import { cleanup } from '../phases/data/cleanup.js';
import { remembered, withReceipt } from '../phases/data/kept.js';
import { renewPage } from '../phases/report/keep-page.js';
import { keepReceipt } from '../runs/receipt-file.js';
import { approvedPlan, withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions } from './call/options.js';
import type { Planned } from './call/profile.js';
import { session } from './call/session.js';
import type { CommandModule } from './call/types.js';

/** loadctl cleanup */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withPlanOption(withProfileOptions(command)))
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
    const act = { command: 'cleanup', does: ['cleanup'], seeded: options.seeded, changesNothing: options.dryRun } as const;
    const decideHere = (planned: Planned) => {
      if (fallback === undefined) wantsWords(planned);
      return decide(planned);
    };
    return session(call, { ...act, ...(fallback === undefined ? {} : { fallback }), decide: decideHere }, async (context) => {
      const { profile, world } = context;
      const made = withReceipt(context.emit);
      try {
        const { reasons } = await cleanup({ ...context, ...(await remembered(context)), emit: made.emit }, options);
        return { reasons };
      } finally {
        const receipt = made.receipt();
        if (receipt !== undefined && !options.dryRun) {
          const directory = await keepReceipt(world.cwd, profile.environment, redactData(receipt, context.redact));
          if (directory !== undefined) await renewPage(directory);
        }
      }
    });
  },
};

/** Data beyond this machine is deleted only where somebody said whose. */
function wantsWords({ plan, named }: Planned): void {
  if (named || plan.beyondLoopback.length === 0) return;
  throw new LoadctlError('refused', `cleanup on ${plan.beyondLoopback.join(', ')} requires --env.`, {
    hint: `loadctl cleanup --env ${plan.environment}`,
  });
}
