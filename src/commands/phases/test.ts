import { test } from '../../phases/test.js';
import { knownTest } from '../call/session.js';
import type { PhaseCommand } from './phase-command.js';

/** What `loadctl test` does. */
export const testCommand: PhaseCommand = {
  command: 'test',
  act: ({ seeded = false }) => ({ does: ['seed', 'load', 'cleanup'], seeded }),
  work: async (_, { seeded = false }, context, known) => test(context, { test: knownTest(known), seeded }),
};
