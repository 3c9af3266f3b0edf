import type { ErrorData } from '../../core/errors.js';
import type { LoggedEvent } from '../../core/events.js';
import type { Milliseconds } from '../../core/quantities.js';
import { redactData } from '../../core/redact-data.js';
import { type EventLog, openEventLog } from '../../door/event-log.js';
import { type HandIn, unpackHandIn } from '../../door/hand-in.js';
import { type DoorState, doorProtocol, type FileList, followMs, type StopWish } from '../../door/protocol.js';
import { listFiles } from '../../door/run-files.js';
import type { Conductor } from '../../door/server.js';
import { stateRoot } from '../../runs/layout.js';
import { requestStop, type StopRequest } from '../../runs/stop.js';
import type { Call } from '../call/types.js';
import type { AskedQuestions } from './questions.js';

/** What a conductor knows of its run so far. */
export interface Book {
  readonly events: EventLog;
  readonly questions: AskedQuestions;
  handIn?: HandIn;
  opened?: Extract<LoggedEvent, { type: 'run-opened' }>;
  /** What ended it that no event tells. */
  error?: ErrorData;
  /** When it was last asked for events, or something of the hand-in came, by the clock's elapsed(). */
  heardAt: number;
}

/** What the door may set off. */
export interface Levers {
  readonly folder: string;
  readonly tokenSha256: string;
  /** The version of k6 here; null where there is none. */
  readonly k6: string | null;
  /** Aborted by a hand-in; by whoever does not want the conductor to wait; by the first complete copy. */
  readonly given: AbortController;
  readonly left: AbortController;
  readonly copied: AbortController;
  readonly interrupt: (signal: NodeJS.Signals) => void;
}

/** A {@link Book} at its beginning. */
export function openBook(elapsed: number, questions: AskedQuestions): Book {
  return { events: openEventLog(), questions, heardAt: elapsed };
}

/** What can be asked of a conductor, by its book. */
export function conductorOf(book: Book, call: Call, levers: Levers): Conductor {
  const { clock } = call.shell;
  let list: Promise<FileList> | undefined;
  const hear = () => {
    book.heardAt = clock.elapsed();
  };
  return {
    clock,
    tokenSha256: levers.tokenSha256,
    events: book.events,
    state: () => stateOf(book, call, levers),
    followMs: () => answerMs(book.handIn?.stopUnfollowedMs),
    handingIn: hear,
    take: async (tar) => {
      book.handIn = await unpackHandIn(tar, levers.folder);
      hear();
      levers.given.abort();
    },
    followed: hear,
    stop: async (wish: StopWish) => {
      if (book.handIn === undefined) levers.left.abort();
      else if ('signal' in wish) levers.interrupt(wish.signal);
      else await stopRun(book, levers, { by: wish.by, at: clock.stamp() });
    },
    answer: (answer) => book.questions.answer(answer),
    files: async () => {
      if (!book.events.ended) return undefined;
      const memory = { folder: stateRoot(book.handIn?.cwd ?? levers.folder), environment: book.handIn?.plan.environment ?? '' };
      list ??= listFiles(book.opened?.directory, book.handIn?.command === 'run' ? undefined : memory);
      return { directory: book.opened?.directory ?? levers.folder, memory: memory.folder, list: await list };
    },
    collected: () => levers.copied.abort(),
  };
}

/** How long one answer follows the events. */
export function answerMs(stopUnfollowedMs: Milliseconds = Number.POSITIVE_INFINITY): Milliseconds {
  return Math.min(followMs, stopUnfollowedMs / 6);
}

/** Ends the run as `loadctl stop` would; before it has its directory, as a signal. */
export async function stopRun({ opened }: Book, { interrupt }: Levers, request: StopRequest): Promise<void> {
  if (opened === undefined) interrupt('SIGTERM');
  else await requestStop(opened.directory, request);
}

function stateOf({ events, questions, handIn, opened, error }: Book, { version, redact }: Call, { k6 }: Levers): DoorState {
  const question = questions.open();
  return {
    protocol: doorProtocol,
    loadctl: version,
    k6,
    state: events.ended ? 'over' : handIn === undefined ? 'waiting' : 'running',
    ...(opened === undefined ? {} : { run: opened.run }),
    ...(question === undefined ? {} : { question }),
    ...(error === undefined ? {} : { error: redactData(error, redact) }),
  };
}
