import { redactForeign } from '../../core/redact-data.js';
import type { Redactor } from '../../core/redactor.js';
import { harmless, harmlessJson } from '../../core/sanitise.js';

/** What k6 or a script wrote as JSON, as it may be kept: without secrets, and harmless on a screen. Undefined for a text that is none. */
export function jsonToKeep(text: string, redact: Redactor): string | undefined {
  if (!redact.mayHold(text)) return harmlessJson(text);
  try {
    const data: unknown = JSON.parse(text);
    const [before, after] = [data, redactForeign(data, redact)].map((value) => JSON.stringify(value));
    return harmlessJson(before === after || after === undefined ? text : after);
  } catch {
    return undefined;
  }
}

/** The same for lines of a log: JSON, or whatever else was said. Most of many have nothing that must go. */
export function linesToKeep(text: string, redact: Redactor): string {
  if (!redact.mayHold(text) && isPlain.test(text) && !text.includes('##') && !text.includes('::')) return text;
  return text
    .split('\n')
    .map((line) => (line.startsWith('{') ? jsonToKeep(line, redact) : undefined) ?? harmless(redact.output(line)))
    .join('\n');
}

const isPlain = /^[\t\n -~]*$/;
