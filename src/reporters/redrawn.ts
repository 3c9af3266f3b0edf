import { stripVTControlCharacters } from 'node:util';
import type { Screen } from '../core/os.js';
import { ownControl } from '../core/sanitise.js';
import { first, rowsOf, textWidth } from './width.js';

/** Lines at the end of a screen that are drawn over themselves. */
export interface Redrawn {
  /** Draws these lines in the place of those drawn before. */
  draw(lines: readonly string[]): void;
  /** Takes them away: what is written next stands where they stood. */
  clear(): void;
}

const csi = '\u001b[';
const toLineEnd = ownControl(`${csi}K`);
const toScreenEnd = ownControl(`${csi}J`);
const wrapOff = ownControl(`${csi}?7l`);
const wrapOn = ownControl(`${csi}?7h`);

/** Shown as one: a terminal that knows synchronized output waits for its end, all others pass over the marks. */
export function atOnce(text: string): string {
  return ownControl(`${csi}?2026h`) + text + ownControl(`${csi}?2026l`);
}

/** Nothing is drawn at first. A terminal that was made narrower has broken the lines on it: that is reckoned with. */
export function redrawn(screen: Screen): Redrawn {
  let drawn: readonly string[] = [];
  const rows = () => drawn.reduce((sum, line) => sum + rowsOf(line, screen.width), 0);
  const up = (count: number) => (count === 0 ? '' : ownControl('\r') + ownControl(`${csi}${count}A`));
  const clear = () => {
    const count = rows();
    drawn = [];
    if (count === 0) return;
    // Line by line: what is erased from the upper left corner on, tmux moves into its history.
    screen.write(atOnce(`${up(count)}${`${toLineEnd}\n`.repeat(count)}${toScreenEnd}${up(count)}`));
  };
  return {
    clear,
    draw(lines) {
      if (lines.length === 0) return clear();
      // Erased first: a row that was broken off a longer line stays tied to it until then.
      // A line that turns out too wide (wide letters in a name) is cut: broken in two it could not be counted.
      const text = lines.map((line) => `${toLineEnd}${line}\n`).join('');
      screen.write(atOnce(`${up(rows())}${wrapOff}${text}${toScreenEnd}${wrapOn}`));
      drawn = lines.map((line) => (textWidth(line) > screen.width ? first(stripVTControlCharacters(line), screen.width) : line));
    },
  };
}
