import type { Milliseconds } from '../../core/quantities.js';
import type { Message } from '../kind/message.js';

const quietMs: Milliseconds = 60_000;

/** Lets messages through, of a limit that goes to and fro one a minute. */
export interface Calm {
  /** What is to be told now that this has happened, if anything. */
  take(message: Message): Message | undefined;
  /** What was held back and is due by `t`: only where the limit stands otherwise than it was last told. */
  due(t: Milliseconds): readonly Message[];
}

interface Told {
  readonly at: Milliseconds;
  readonly occasion: Message['occasion'];
  /** Its end is told at once: nothing was told of this limit for two minutes before it. */
  readonly isFirst: boolean;
  readonly held?: Message;
}

/**
 * A breach out of the blue and its end are told at once, whenever that is. What else happens to that limit within a minute of what
 * was last told is held back; when the minute is over, where it stands by then is told, unless that is what was told last.
 */
export function calm(): Calm {
  const limits = new Map<string, Told>();
  const tell = (limit: string, message: Message, t: Milliseconds) => {
    const last = limits.get(limit);
    const isFirst = last === undefined || t - last.at >= 2 * quietMs;
    limits.set(limit, { at: t, occasion: message.occasion, isFirst });
    return message;
  };
  return {
    take: (message) => {
      const { limit, t, occasion } = message;
      if (limit === undefined) return message;
      const last = limits.get(limit);
      const isEnd = last?.isFirst === true && last.held === undefined && occasion === 'recovered';
      if (last === undefined || isEnd || t - last.at >= quietMs) return tell(limit, message, t);
      limits.set(limit, { ...last, held: message });
      return undefined;
    },
    due: (t) =>
      [...limits].flatMap(([limit, { held, ...last }]) => {
        if (held === undefined || t - last.at < quietMs) return [];
        limits.set(limit, last);
        return held.occasion === last.occasion ? [] : [tell(limit, held, t)];
      }),
  };
}
