import type { Screen } from '../core/os.js';
import { textWidth } from './table.js';

/** Lines at the end of a screen that are drawn over themselves. */
export interface Redrawn {
  /** Draws these lines in the place of those drawn before. */
  draw(lines: readonly string[]): void;
  /** Takes them away: what is written next stands where they stood. */
  clear(): void;
}

const csi = '\u001b[';
const toLineEnd = `${csi}K`;
const toScreenEnd = `${csi}J`;
const wrapOff = `${csi}?7l`;
const wrapOn = `${csi}?7h`;

/** Nothing is drawn at first. A terminal that was made narrower has broken the lines on it: that is reckoned with. */
export function redrawn(screen: Screen): Redrawn {
  let widths: readonly number[] = [];
  const home = () => {
    const rows = widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / screen.width)), 0);
    return rows === 0 ? '' : `\r${csi}${rows}A`;
  };
  const clear = () => {
    if (widths.length === 0) return;
    screen.write(home() + toScreenEnd);
    widths = [];
  };
  return {
    clear,
    draw(lines) {
      if (lines.length === 0) return clear();
      // A line that turns out too wide (wide letters in a name) is cut: broken in two it could not be counted.
      screen.write(`${home()}${wrapOff}${lines.map((line) => `${line}${toLineEnd}\n`).join('')}${toScreenEnd}${wrapOn}`);
      widths = lines.map((line) => Math.min(textWidth(line), screen.width));
    },
  };
}
