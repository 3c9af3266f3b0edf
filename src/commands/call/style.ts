import type { Screen } from '../../core/os.js';
import { loadPaint, type Paint } from '../../reporters/paint.js';
import type { TableStyle } from '../../reporters/table.js';
import type { Call } from './types.js';

/** How a table is drawn on one of a call's two streams: coloured and cut to its width only on a terminal. */
export async function tableStyle(call: Call, stream: 'stdout' | 'stderr'): Promise<TableStyle> {
  return styleOn(call.shell[stream], await loadPaint(call.style.colour[stream]));
}

/** The same with colours that are loaded already; as wide as the screen is now. */
export function styleOn(screen: Pick<Screen, 'isTerminal' | 'width'>, paint: Paint): TableStyle {
  return { paint, ...(screen.isTerminal ? { width: screen.width } : {}) };
}
