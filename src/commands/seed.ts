import { LoadctlError } from '../core/errors.js';
import type { ChangedSeed } from '../core/receipt.js';
import { redactData } from '../core/redact-data.js';
import { remembered } from '../phases/data/kept.js';
import { type DataContext, withLock } from '../phases/data/lock.js';
import { resetSeeded } from '../phases/data/reset.js';
import { seed } from '../phases/data/seed.js';
import { renderChanges } from '../reporters/changes.js';
import { approvedPlan, withPlanOption } from './call/approved-plan.js';
import { examples, withCommonOptions, withProfileOptions } from './call/options.js';
import { session } from './call/session.js';
import type { Call, CommandModule } from './call/types.js';

/** loadctl seed */
export const command: CommandModule = {
  describe: (command) =>
    withCommonOptions(withPlanOption(withProfileOptions(command)))
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
  run: async (call) =>
    session(call, { command: 'seed', does: ['seed'], ...(await approvedPlan(call)) }, async (context) => {
      const data = { ...context, ...(await remembered(context)) };
      if (call.options.reset === true) await reset(call, data);
      await seed(data);
      return { reasons: [] };
    }),
};

function reset(call: Call, context: DataContext): Promise<void> {
  return withLock(context, 'seed', (signal) => resetSeeded({ ...context, signal }, (changed) => confirmed(call, changed, signal)));
}

/** Only a person at a terminal, who types the number back, may have rows removed that hold something else than was seeded. */
async function confirmed({ shell, redact }: Call, changed: readonly ChangedSeed[], signal: AbortSignal): Promise<void> {
  const count = changed.reduce((sum, each) => sum + each.count, 0);
  shell.stderr.write(renderChanges(redactData(changed, redact)));
  const isCi = !['', undefined, 'false', '0'].includes(shell.env.CI);
  const typed = isCi ? undefined : await shell.ask(`Type their number to remove them (${count}): `, signal);
  if (typed?.trim() === String(count)) return;
  const why = isCi ? 'never in CI' : typed === undefined ? 'only on a terminal' : 'and the number typed does not match';
  throw new LoadctlError(
    'refused',
    `seed --reset removes ${count} changed rows once their number is typed back, ${why}; nothing was changed.`,
    {
      hint: 'Run it on a terminal, or remove them yourself.',
    },
  );
}
