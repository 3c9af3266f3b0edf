import type { PhaseCommandName } from '../../core/phase-command.js';
import { cleanupCommand } from './cleanup.js';
import type { PhaseCommand } from './phase-command.js';
import { runCommand } from './run.js';
import { seedCommand } from './seed.js';
import { testCommand } from './test.js';

/** Every command that reaches servers, by its name. */
export const phaseCommand = {
  seed: seedCommand,
  run: runCommand,
  cleanup: cleanupCommand,
  test: testCommand,
} satisfies Readonly<Record<PhaseCommandName, PhaseCommand>>;
