import { loadPaint } from '../../reporters/paint.js';
import type { TableStyle } from '../../reporters/table.js';
import type { Call } from './types.js';

/** How a table is drawn on one of a call's two streams: coloured and cut to its width only on a terminal. */
export async function tableStyle(call: Call, stream: 'stdout' | 'stderr'): Promise<TableStyle> {
  const screen = call.shell[stream];
  return { paint: await loadPaint(call.style.colour[stream]), ...(screen.isTerminal ? { width: screen.width } : {}) };
}
