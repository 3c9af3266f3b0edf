import type { ErrorData } from '../core/errors.js';
import type { LoggedEvent } from '../core/events.js';
import { formatCount } from '../core/quantities.js';
import { shorten } from './width.js';
import { wrapLines } from './wrap.js';

/** What a script throws can be a whole page, or a million lines: so many characters of one line are shown, and so many lines. */
const longestLine = 2000;
const mostLines = 100;

/**
 * An error as people read it: what is wrong, where, and one thing to do about it; on lines that end with a newline, broken between words where a
 * screen has a `width`. A long line is cut in its middle, of many lines the first are shown.
 */
export function errorText({ message, hint, lines = [] }: ErrorData, red: (text: string) => string, width?: number): string {
  const hints = hint === undefined ? [] : [`hint: ${hint}`];
  const shown = lines.slice(0, mostLines).map((line) => indented(shorten(line, longestLine)));
  const more = lines.length > mostLines ? [indented(`… and ${formatCount(lines.length - mostLines)} more lines`)] : [];
  return `${wrapLines([`${red('error:')} ${shorten(message, longestLine)}`, ...shown, ...more, ...hints], width).join('\n')}\n`;
}

function indented(line: string): string {
  return line === '' ? '' : `  ${line}`;
}

/** Whether an event is an error that a reporter shows: of a bug the shell makes a report. */
export function isTold(event: LoggedEvent): event is Extract<LoggedEvent, { type: 'failed' }> {
  return event.type === 'failed' && event.error.code !== 'bug';
}
