import type { ErrorData } from '../core/errors.js';
import type { LoggedEvent } from '../core/events.js';
import { wrapLines } from './wrap.js';

/** An error as people read it: what is wrong, where, and one thing to do about it; on lines that end with a newline, broken between words where a screen has a `width`. */
export function errorText({ message, hint, lines = [] }: ErrorData, red: (text: string) => string, width?: number): string {
  const hints = hint === undefined ? [] : [`hint: ${hint}`];
  return `${wrapLines([`${red('error:')} ${message}`, ...lines.map(indented), ...hints], width).join('\n')}\n`;
}

function indented(line: string): string {
  return line === '' ? '' : `  ${line}`;
}

/** Whether an event is an error that a reporter shows: of a bug the shell makes a report. */
export function isTold(event: LoggedEvent): event is Extract<LoggedEvent, { type: 'failed' }> {
  return event.type === 'failed' && event.error.code !== 'bug';
}
