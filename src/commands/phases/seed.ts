import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { ChangedSeed } from '../../core/receipt.js';
import { remembered } from '../../phases/data/kept.js';
import { type DataContext, withLock } from '../../phases/data/lock.js';
import { resetSeeded } from '../../phases/data/reset.js';
import { seed } from '../../phases/data/seed.js';
import { askQuestion } from '../call/question.js';
import type { Call } from '../call/types.js';
import type { PhaseCommand } from './phase-command.js';

/** What `loadctl seed` does. */
export const seedCommand: PhaseCommand = {
  command: 'seed',
  act: () => ({ does: ['seed'] }),
  work: async (call, options, context) => {
    const data = { ...context, ...(await remembered(context)) };
    if (options.reset === true) await reset(call, data);
    await seed(data);
    return { reasons: [] };
  },
};

function reset(call: Call, context: DataContext): Promise<void> {
  const { emit } = context;
  return withLock(context, 'seed', (signal) =>
    resetSeeded({ ...context, signal }, (changed) => confirmed(call, changed, { emit, signal })),
  );
}

/** Only a person at a terminal, who types the number back, may have rows removed that hold something else than was seeded. */
async function confirmed(call: Call, changed: readonly ChangedSeed[], means: { emit: Emit; signal: AbortSignal }): Promise<void> {
  const count = changed.reduce((sum, each) => sum + each.count, 0);
  const isCi = !['', undefined, 'false', '0'].includes(call.shell.env.CI);
  const prompt = isCi ? {} : { prompt: `Type their number to remove them (${count}): ` };
  const typed = await askQuestion(call, { shown: { kind: 'changed-rows', changed }, ...prompt }, means);
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
