import { randomBytes } from 'node:crypto';
import type { LoggedEvent, TracedCommand } from '../core/events.js';
import type { Screen } from '../core/os.js';
import type { MeasuredNumbers } from '../metrics/endpoint-numbers.js';
import { renderReceipt } from './receipt-table.js';
import { renderSeed } from './seed-table.js';
import type { TableStyle } from './table.js';
import type { ReporterOptions } from './types.js';
import { renderVerdict } from './verdict-table.js';

/** What an event is worth to those who read results. */
interface Result {
  readonly text: string;
  /** The script's own words: they are passed on as they are. */
  readonly byScript?: true;
}

/** The result that an event is; undefined for all others. Folds over events. */
export type Tables = (event: LoggedEvent) => Result | undefined;

/** Writes a result. */
export function showResult({ text, byScript }: Result, screen: Screen): void {
  if (byScript) screen.pass(text);
  else screen.write(text);
}

/** {@link Tables} at the start of their events. */
export function makeTables({ results, resultsPaint, stopMarks }: ReporterOptions): Tables {
  let command: TracedCommand | undefined;
  let measured: MeasuredNumbers | undefined;
  return (event) => {
    const style: TableStyle = { paint: resultsPaint, ...(results?.isTerminal ? { width: results.width } : {}) };
    switch (event.type) {
      case 'command-started':
        command = event.command;
        return undefined;
      case 'measured':
        measured = event;
        return undefined;
      case 'summary-handled':
        return event.stdout.trim() === '' ? undefined : { text: scriptText(event.stdout, stopMarks), byScript: true };
      case 'seeded':
        return command === 'seed' ? { text: renderSeed(event.stores, style) } : undefined;
      case 'judged':
        return { text: `\n${renderVerdict(event.verdict, measured, style)}` };
      case 'receipt-made':
        return { text: `\n${renderReceipt(event.receipt, style)}` };
      default:
        return undefined;
    }
  };
}

/** Whole lines. The word that ends the marks is drawn now: no script can know it. */
function scriptText(stdout: string, stopMarks = false): string {
  const lines = stdout.endsWith('\n') ? stdout : `${stdout}\n`;
  const word = randomBytes(16).toString('hex');
  return stopMarks ? `::stop-commands::${word}\n${lines}::${word}::\n` : lines;
}
