import type { LoggedEvent } from '../core/events.js';
import type { Verdict } from '../core/verdict.js';
import { asReceipt, renderReceipt } from './receipt-table.js';
import type { TableStyle } from './table.js';
import type { ReporterOptions } from './types.js';
import { renderVerdict } from './verdict-table.js';

/** The table that an event is worth; undefined for all others. */
export function resultOf(event: LoggedEvent, { measured, results, resultsPaint }: ReporterOptions): string | undefined {
  const style: TableStyle = { paint: resultsPaint, ...(results?.isTerminal ? { width: results.width } : {}) };
  if (event.type === 'summary-handled' && event.stdout.trim() === '') return undefined;
  if (event.type === 'summary-handled') return event.stdout.endsWith('\n') ? event.stdout : `${event.stdout}\n`;
  if (event.type === 'receipt-made') {
    const receipt = asReceipt(event.receipt);
    return receipt && `\n${renderReceipt(receipt, style)}`;
  }
  return event.type === 'judged' && isVerdict(event.verdict) ? `\n${renderVerdict(event.verdict, measured(event.run), style)}` : undefined;
}

function isVerdict(value: unknown): value is Verdict {
  return typeof value === 'object' && value !== null && 'verdict' in value && 'criteria' in value;
}
