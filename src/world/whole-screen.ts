import { writeSync } from 'node:fs';
import type { WholeScreen } from '../core/os.js';
import { forScreen } from '../core/sanitise.js';
import type { Suspension } from './suspend.js';

const csi = '\u001b[';
/** The alternate screen, no cursor, lines cut at the edge; empty. */
const enter = `${csi}?1049h${csi}?25l${csi}?7l${csi}2J${csi}H`;
const leave = `${csi}?2026l${csi}?7h${csi}?25h${csi}?1049l`;

/** A stream of a terminal, and the descriptor that does not wait for it. */
export interface TerminalStream {
  readonly stream: Pick<NodeJS.WriteStream, 'write'>;
  descriptor(): number | undefined;
}

/** Takes the whole of a terminal, once at a time, and gives it back however this process ends (but for SIGKILL). */
export interface Takeover {
  take(redraw: () => void): WholeScreen;
  /** Gives it back for good: this process is about to end. */
  end(): void;
}

/** The {@link Takeover} of one terminal. */
export function takeover({ stream, descriptor }: TerminalStream, suspension: Suspension): Takeover {
  const { own } = suspension;
  let held: WholeScreen | undefined;
  const atExit = () => {
    try {
      const to = descriptor();
      if (to === undefined) stream.write(leave);
      else writeSync(to, leave);
    } catch {
      // It takes nothing (Ctrl-S), or is gone.
    }
  };
  const take = (redraw: () => void): WholeScreen => {
    let isOurs = true;
    const show = (shown: boolean) => {
      stream.write(shown ? enter : leave);
      own[shown ? 'on' : 'off']('exit', atExit);
      own[shown ? 'on' : 'off']('SIGQUIT', quit);
    };
    const quit = () => {
      show(false);
      own.send('SIGQUIT');
    };
    const stopPausing = suspension.take({
      pause: () => show(false),
      resume: () => {
        show(true);
        redraw();
      },
    });
    show(true);
    const whole: WholeScreen = {
      write: (text) => {
        if (isOurs) stream.write(forScreen(text));
      },
      giveBack: () => {
        if (!isOurs) return;
        isOurs = false;
        held = undefined;
        stopPausing();
        show(false);
      },
    };
    held = whole;
    return whole;
  };
  let ended = false;
  return {
    take: (redraw) => (ended ? nowhere : take(redraw)),
    end: () => {
      ended = true;
      held?.giveBack();
    },
  };
}

/** Where what is drawn after the end goes. */
const nowhere: WholeScreen = { write: () => {}, giveBack: () => {} };
