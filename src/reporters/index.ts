import { plainReporter } from './plain.js';
import { quietReporter } from './quiet.js';
import { terminalReporter } from './terminal.js';
import type { MakeReporter } from './types.js';

/** Every way to say what happens. */
export const reporters = {
  terminal: terminalReporter,
  plain: plainReporter,
  quiet: quietReporter,
} satisfies Record<string, MakeReporter>;
