/** What this process hears of itself, and sends itself. */
export interface OwnSignals {
  on(of: 'SIGTSTP' | 'SIGCONT' | 'SIGQUIT' | 'exit', listener: () => void): void;
  off(of: 'SIGTSTP' | 'SIGCONT' | 'SIGQUIT' | 'exit', listener: () => void): void;
  send(signal: 'SIGSTOP' | 'SIGQUIT'): void;
}

/** A screen that is given back while this process is stopped. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** What Ctrl-Z does: nothing but being heard where loadctl must not stand still, else what it always does, on a screen in order. */
export interface Suspension {
  /** As long as it is not called off, Ctrl-Z does not stop this process: the listener hears of it. */
  refuse(listener: () => void): () => void;
  /** A screen that is to be given back first, and taken again afterwards. */
  take(screen: Pausable): () => void;
  readonly own: OwnSignals;
}

/** The {@link Suspension} of this process; one that nothing is asked of changes nothing. */
export function suspension(own: OwnSignals): Suspension {
  const listeners = new Set<() => void>();
  const screens = new Set<Pausable>();
  let isHeard = false;
  const resume = () => {
    own.off('SIGCONT', resume);
    for (const screen of screens) screen.resume();
  };
  const hear = () => {
    for (const listener of listeners) listener();
    if (listeners.size > 0) return;
    for (const screen of screens) screen.pause();
    own.on('SIGCONT', resume);
    own.send('SIGSTOP');
  };
  const update = () => {
    const isWanted = listeners.size + screens.size > 0;
    if (isWanted !== isHeard) own[isWanted ? 'on' : 'off']('SIGTSTP', hear);
    isHeard = isWanted;
  };
  const enter = <T>(set: Set<T>, one: T) => {
    set.add(one);
    update();
    return () => {
      set.delete(one);
      update();
    };
  };
  return { own, refuse: (listener) => enter(listeners, listener), take: (screen) => enter(screens, screen) };
}
