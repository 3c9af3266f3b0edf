import type { Asking } from '../../src/commands/call/question.js';
import type { Shell } from '../../src/core/os.js';
import { forScreen } from '../../src/core/sanitise.js';

/** How a terminal shows things; without `width` it is none. */
export interface Looks {
  readonly coloured: boolean;
  readonly width?: number;
}

/** A person at a terminal who types the same whatever is asked; `text` is what stands there. */
export function terminalCall({ coloured, width }: Looks, typed?: string, hasKeyboard = false) {
  let shown = '';
  const write = (text: string) => {
    shown += forScreen(text);
  };
  const stderr = { write, isTerminal: width !== undefined, width: width ?? 80 };
  const ask: Shell['ask'] = async (prompt) => {
    write(prompt);
    return typed;
  };
  const call: Asking & { shell: Pick<Shell, 'keyboard'> } = {
    shell: { stderr, ask, keyboard: hasKeyboard ? process.stdin : undefined },
    style: { colour: { stdout: false, stderr: coloured } },
  };
  return { call, text: () => shown };
}
