import type { LoggedEvent } from '../core/events.js';
import { harmlessDeep } from '../core/sanitise.js';
import { plainReporter } from './plain.js';
import { quietReporter } from './quiet.js';
import { terminalReporter } from './terminal.js';
import type { MakeReporter } from './types.js';

/** Every way to say what happens. */
export const reporters = {
  terminal: harmlessly(terminalReporter),
  plain: harmlessly(plainReporter),
  quiet: harmlessly(quietReporter),
} satisfies Record<string, MakeReporter>;

/** The one door to reporters: what events hold of targets, scripts and hosts is harmless by the time that it is laid out. */
function harmlessly(make: MakeReporter): MakeReporter {
  return async (options) => {
    const reporter = await make(options);
    return { ...reporter, handle: (event) => reporter.handle(shown(event)) };
  };
}

/** What the script's handleSummary says on stdout is its own affair. */
function shown(event: LoggedEvent): LoggedEvent {
  const harmless = harmlessDeep(event);
  return harmless.type === 'summary-handled' && event.type === 'summary-handled' ? { ...harmless, stdout: event.stdout } : harmless;
}
