import { LoadctlError } from '../core/errors.js';
import { redactData } from '../core/redact-data.js';
import { cleanup } from '../phases/data/cleanup.js';
import { readCountedBefore } from '../runs/counted-before.js';
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
      .option('--users', 'take the seeded rows out, too, where nobody changed them')
      .description(
        'Takes the test data out again, and proves it with a receipt.\nIt needs nothing of the run: it works from another machine, and after a crash.',
      )
      .addHelpText(
        'after',
        examples([
          ['loadctl cleanup --env dev --dry-run', 'what would go'],
          ['loadctl cleanup --env dev', 'what the test wrote'],
          ['loadctl cleanup --env dev --users', 'and what was seeded for it'],
        ]),
      ),
  run: async (call) => {
    const options = { dryRun: call.options.dryRun === true, users: call.options.users === true };
    const { fallback, decide } = await approvedPlan(call);
    const act = { command: 'cleanup', does: ['cleanup'], users: options.users, changesNothing: options.dryRun } as const;
    const decideHere = (planned: Planned) => {
      if (fallback === undefined) wantsWords(planned);
      return decide(planned);
    };
    return session(call, { ...act, ...(fallback === undefined ? {} : { fallback }), decide: decideHere }, async (context) => {
      const { profile, world } = context;
      const before = await readCountedBefore(world.cwd, profile.environment);
      const { receipt, reasons } = await cleanup({ ...context, ...(before === undefined ? {} : { before }) }, options);
      if (!options.dryRun) await keepReceipt(world.cwd, profile.environment, redactData(receipt, context.redact));
      return { reasons };
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
