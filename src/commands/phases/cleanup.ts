import { redactData } from '../../core/redact-data.js';
import { cleanup } from '../../phases/data/cleanup.js';
import { remembered, withReceipt } from '../../phases/data/kept.js';
import { renewPage } from '../../phases/report/keep-page.js';
import { keepReceipt } from '../../runs/receipt-file.js';
import type { PhaseCommand } from './phase-command.js';

/** What `loadctl cleanup` does. */
export const cleanupCommand: PhaseCommand = {
  command: 'cleanup',
  act: ({ seeded = false, dryRun = false }) => ({ does: ['cleanup'], seeded, changesNothing: dryRun }),
  work: async (_, { seeded = false, dryRun = false }, context) => {
    const { profile, world } = context;
    const made = withReceipt(context.emit);
    try {
      const { reasons } = await cleanup({ ...context, ...(await remembered(context)), emit: made.emit }, { dryRun, seeded });
      return { reasons };
    } finally {
      const receipt = made.receipt();
      if (receipt !== undefined && !dryRun) {
        const directory = await keepReceipt(world.cwd, profile.environment, redactData(receipt, context.redact));
        if (directory !== undefined) await renewPage(directory);
      }
    }
  },
};
