import type { LoggedEvent, TracedCommand } from '../core/events.js';
import type { MeasuredNumbers } from '../metrics/endpoint-numbers.js';
import { renderReceipt } from './receipt-table.js';
import { renderSeed } from './seed-table.js';
import type { TableStyle } from './table.js';
import type { ReporterOptions } from './types.js';
import { renderVerdict } from './verdict-table.js';

/** The table that an event is worth; undefined for all others. Folds over events. */
export type Tables = (event: LoggedEvent) => string | undefined;

/** {@link Tables} at the start of their events. */
export function makeTables({ results, resultsPaint }: ReporterOptions): Tables {
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
        return wholeLines(event.stdout);
      case 'seeded':
        return command === 'seed' ? renderSeed(event.stores, style) : undefined;
      case 'judged':
        return `\n${renderVerdict(event.verdict, measured, style)}`;
      case 'receipt-made':
        return `\n${renderReceipt(event.receipt, style)}`;
      default:
        return undefined;
    }
  };
}

function wholeLines(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  return text.endsWith('\n') ? text : `${text}\n`;
}
