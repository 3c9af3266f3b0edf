import { join } from 'node:path';
import type { Beside } from '../../core/beside.js';
import { errorData, LoadctlError } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import type { Clock, Shell } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { HandIn } from '../../door/hand-in.js';
import type { Conductor } from '../../door/server.js';
import { findK6 } from '../../k6/binary/index.js';
import type { Questions } from '../call/question.js';
import type { Call } from '../call/types.js';
import { answerMs, type Book, conductorOf, type Levers, openBook, stopRun } from './book.js';
import { interruptible } from './interruptible.js';
import { askedQuestions } from './questions.js';

/** How long a conductor waits where it may have to wait for long. */
export interface Patience {
  /** For what it is to carry out: without a byte of it. */
  readonly handInMs: Milliseconds;
  /** After the first complete copy: who else is copying gets to end. */
  readonly afterCopyMs: Milliseconds;
  /** For an answer to a question. */
  readonly answerMs: Milliseconds;
}

const dayMs: Milliseconds = 24 * 3_600_000;

/** Longer than the user would wait for nothing, shorter than what a forgotten one costs. */
export const patience: Patience = { handInMs: 60_000, afterCopyMs: 30_000, answerMs: 600_000 };

/** What goes between the door and the run: what is asked for at the one is done to the other. */
export interface Desk {
  readonly conductor: Conductor;
  readonly questions: Questions;
  /** The shell of the run: it is interrupted by signals, and by who asks for that at the door. */
  readonly shell: Shell;
  /** Takes what is handed in. */
  readonly folder: string;
  /** Resolves with the hand-in. Throws `unavailable` where none comes, `interrupted` where nobody wants to wait for it. */
  handIn(): Promise<HandIn>;
  hear(event: LoggedEvent): void;
  /** The run is over, with this error where one ended it: resolves when what came of it was collected, or waited long enough for. */
  keep(error?: unknown): Promise<void>;
}

/** Opens the desk of a conductor. Throws `usage` where nobody said by which token its hand-in is known. */
export async function openDesk(call: Call, beside: Beside, { handInMs, afterCopyMs, answerMs: answerLimitMs }: Patience): Promise<Desk> {
  const { clock, cwd } = call.shell;
  const { shell, interrupt } = interruptible(call.shell);
  const levers: Levers = {
    folder: join(cwd, 'conductor'),
    tokenSha256: tokenHash(call.shell),
    k6: (await findK6(call.shell))?.version ?? null,
    given: new AbortController(),
    left: new AbortController(),
    copied: new AbortController(),
    interrupt,
  };
  call.shell.onInterrupt(() => levers.left.abort());
  const book = openBook(clock.elapsed(), askedQuestions(clock, answerLimitMs));
  return {
    conductor: conductorOf(book, call, levers),
    questions: book.questions,
    shell,
    folder: levers.folder,
    handIn: async () => {
      const handIn = await awaitHandIn(book, { clock, levers, limitMs: handInMs });
      const { stopUnfollowedMs } = handIn;
      if (stopUnfollowedMs !== undefined) beside((over) => stopUnfollowed(book, { clock, levers, limitMs: stopUnfollowedMs }, over));
      return handIn;
    },
    hear: (event) => {
      if (event.type === 'run-opened') book.opened = event;
      book.events.hear(event);
    },
    keep: async (error) => {
      if (error !== undefined) book.error = errorData(error);
      book.events.end();
      await kept(book, { clock, levers, limitMs: afterCopyMs });
    },
  };
}

function tokenHash({ env }: Shell): string {
  const { LOADCTL_HAND_IN = '' } = env;
  if (/^[0-9a-f]{64}$/.test(LOADCTL_HAND_IN)) return LOADCTL_HAND_IN;
  throw new LoadctlError('usage', 'LOADCTL_HAND_IN is not the SHA-256 of a token.', {
    hint: 'loadctl run starts conductors by itself, with runners.backend: kubernetes.',
  });
}

interface Limit {
  readonly clock: Clock;
  readonly levers: Levers;
  readonly limitMs: Milliseconds;
}

async function awaitHandIn(book: Book, { clock, levers: { given, left }, limitMs }: Limit): Promise<HandIn> {
  await silence(book, clock, limitMs, AbortSignal.any([given.signal, left.signal]));
  if (book.handIn !== undefined) return book.handIn;
  if (left.signal.aborted) throw new LoadctlError('interrupted', 'Stopped before anything was handed in.');
  throw new LoadctlError('unavailable', `Nothing was handed in within ${limitMs / 1000} s.`, {
    hint: 'The loadctl that started this conductor ended, or cannot reach it. Run it again.',
  });
}

/**
 * Who asks last just before it loses the way here has asked one answer ago; and it needs a moment to find the way again. So one
 * that is away for less than the limit is never taken for lost.
 */
async function stopUnfollowed(book: Book, { clock, levers, limitMs }: Limit, over: AbortSignal): Promise<void> {
  await silence(book, clock, limitMs + 2 * answerMs(limitMs), over);
  if (!over.aborted && !book.events.ended) await stopRun(book, levers, { unfollowedMs: limitMs, at: clock.stamp() });
}

/** Resolves when nothing was heard for so long, or `over` aborts. */
function silence(book: Book, clock: Clock, limitMs: Milliseconds, over: AbortSignal): Promise<void> {
  return until(() => book.heardAt + limitMs, clock, over);
}

/** Sleeps until that time, which may move on; a timer has 24 days at most. */
async function until(time: () => number, clock: Clock, over: AbortSignal): Promise<void> {
  for (let left = time() - clock.elapsed(); left > 0 && !over.aborted; left = time() - clock.elapsed())
    await clock.sleep(Math.min(left, dayMs), over);
}

/** A signal ends the waiting at once. */
async function kept({ handIn }: Book, { clock, levers: { left, copied }, limitMs }: Limit): Promise<void> {
  const end = clock.elapsed() + (handIn?.keepMs ?? 0);
  await until(() => end, clock, AbortSignal.any([copied.signal, left.signal]));
  if (copied.signal.aborted) await clock.sleep(limitMs, left.signal);
}
