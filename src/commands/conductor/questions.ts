import type { Clock } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Answer } from '../../door/protocol.js';
import type { Questions } from '../call/question.js';

/** Questions that are events, and whose answers come through the door. */
export interface AskedQuestions extends Questions {
  /** The number of the one that waits now. */
  open(): number | undefined;
  /** Settles the one that waits; an answer to another one is too late. */
  answer(answer: Answer): void;
}

/** Questions that each live for `limitMs`; one that is not answered by then counts as answered with no. */
export function askedQuestions(clock: Pick<Clock, 'sleep'>, limitMs: Milliseconds): AskedQuestions {
  let count = 0;
  let waiting: { readonly question: number; readonly settle: (text: string | null) => void } | undefined;
  return {
    open: () => waiting?.question,
    answer: ({ question, text }) => {
      if (waiting?.question === question) waiting.settle(text);
    },
    ask: async (asked, { emit, signal }) => {
      count += 1;
      const question = count;
      const told = { type: 'question-asked', question, ...asked } as const;
      if (asked.prompt === undefined) {
        emit(told);
        return undefined;
      }
      const settled = new AbortController();
      let typed: string | undefined;
      waiting = {
        question,
        settle: (text) => {
          typed = text ?? undefined;
          settled.abort();
        },
      };
      emit(told);
      const over = AbortSignal.any([signal, settled.signal]);
      await clock.sleep(limitMs, over);
      waiting = undefined;
      emit({ type: 'question-settled', question, isAnswered: typed !== undefined, ...(over.aborted ? {} : { lateMs: limitMs }) });
      return typed;
    },
  };
}
