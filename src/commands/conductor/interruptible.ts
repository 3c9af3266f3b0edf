import type { Shell } from '../../core/os.js';

/** A shell whose process can be interrupted from within, as a signal would. */
export interface Interruptible {
  readonly shell: Shell;
  interrupt(signal: NodeJS.Signals): void;
}

/** Signals from outside and those from within count as one row: the second one is the second, wherever it comes from. */
export function interruptible(shell: Shell): Interruptible {
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  return {
    shell: {
      ...shell,
      onInterrupt: (listener) => {
        let count = 0;
        const hear = (signal: NodeJS.Signals) => {
          count += 1;
          listener(count, signal);
        };
        listeners.add(hear);
        const stopListening = shell.onInterrupt((_, signal) => hear(signal));
        return () => {
          listeners.delete(hear);
          stopListening();
        };
      },
    },
    interrupt: (signal) => {
      for (const listener of listeners) listener(signal);
    },
  };
}
