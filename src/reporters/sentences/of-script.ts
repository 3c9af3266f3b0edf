import type { LoggedEvent, ScriptFailureKind } from '../../core/events.js';
import { endText } from './end.js';
import type { Sentence } from './sentence.js';
import { took } from './words.js';

/** What an event of the script's setup(), teardown() or handleSummary() means in words. */
export function ofScript(
  event: Extract<LoggedEvent, { type: `setup-${string}` | `teardown-${string}` | 'summary-handled' }>,
): Sentence | undefined {
  switch (event.type) {
    case 'setup-finished':
      return { tone: 'plain', text: `setup() ran on runner ${event.runner}${took(event.elapsedMs)}` };
    case 'setup-failed': {
      const { message, lines = [], hint } = event.error;
      const trace = lines.map((line) => `\n  ${line.trim()}`);
      return { tone: 'bad', text: [message, ...trace].join(''), ...(hint === undefined ? {} : { hint }) };
    }
    case 'teardown-started':
      return event.again === true
        ? { tone: 'warn', text: `teardown() runs again, on runner ${event.runner}: parts of it may run twice` }
        : undefined;
    case 'teardown-finished':
      return event.error === undefined
        ? { tone: 'plain', text: `teardown() ran on runner ${event.runner}${took(event.elapsedMs)}` }
        : { tone: 'bad', ...teardownFailure(event.error, event.how) };
    case 'teardown-lost':
      return { tone: 'bad', text: `runner ${event.runner} was lost while teardown() ran on it (${endText(event.end)})` };
    case 'teardown-cut-off':
      return {
        tone: 'bad',
        text: `teardown() was cut off on runner ${event.runner}${took(event.elapsedMs)}: it may not have finished`,
        hint: 'Undo by hand what setup() did.',
      };
    case 'summary-handled':
      return event.stderr.trim() === '' ? undefined : { tone: 'plain', text: event.stderr.trimEnd() };
  }
}

function teardownFailure(error: string, how: ScriptFailureKind | undefined): Pick<Sentence, 'text' | 'hint'> {
  if (how === 'timed-out') {
    const hint = "Raise teardownTimeout in the script's options (workload.options: {teardownTimeout: 5m}); undo by hand what is left.";
    return { text: `teardown() took too long: ${error}`, hint };
  }
  return { text: `the script ${how === 'aborted' ? 'called test.abort()' : 'threw'} in teardown(): ${error}` };
}
