import type { Screen, WholeScreen } from '../core/os.js';
import { ownControl } from '../core/sanitise.js';
import { atOnce } from './redrawn.js';

/** A terminal as a whole, on which lines are drawn. */
export interface Painter {
  /** Whether it is taken now: nothing else may be written meanwhile. */
  readonly isOpen: boolean;
  /** Takes the terminal, where it is not taken yet, and shows these lines on it; only those that changed are written. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

const csi = '\u001b[';
const toLineEnd = ownControl(`${csi}K`);
const toScreenEnd = ownControl(`${csi}J`);

/** A {@link Painter} on a screen; `redraw` is called where the terminal lost what stood on it. */
export function painter(screen: Screen, redraw: () => void): Painter {
  let whole: WholeScreen | undefined;
  let before: readonly string[] = [];
  let [width, height] = [0, 0];
  const again = () => {
    [width, height] = [0, 0];
    redraw();
  };
  return {
    get isOpen() {
      return whole !== undefined;
    },
    draw(lines) {
      whole ??= screen.takeWhole(again);
      const isNew = width !== screen.width || height !== screen.height;
      [width, height] = [screen.width, screen.height];
      const changed = lines.flatMap((line, at) => (isNew || line !== before[at] ? [`${lineStart(at)}${toLineEnd}${line}`] : []));
      const rest = isNew || lines.length < before.length ? [`${lineStart(lines.length)}${toScreenEnd}`] : [];
      before = lines;
      // Below the last line there is nothing to erase.
      const written = [...changed, ...(lines.length < height ? rest : [])].join('');
      if (written !== '') whole.write(atOnce(written));
    },
    close() {
      whole?.giveBack();
      whole = undefined;
      before = [];
      [width, height] = [0, 0];
    },
  };
}

function lineStart(at: number): string {
  return ownControl(`${csi}${at + 1};1H`);
}
