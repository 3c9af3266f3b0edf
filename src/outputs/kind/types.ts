import type { LoggedEvent, Stamp } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import type { Milliseconds, PerSecond } from '../../core/quantities.js';
import type { Redactor } from '../../core/redactor.js';
import type { OutputUnit } from '../../core/warnings.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { PlannedOutput } from '../../plan/outputs.js';
import type { KeptLine } from './kept-line.js';
import type { Message } from './message.js';

/*
 * An output sends what a run comes to, to people or to databases. To add a kind: its words in src/profile/sections/outputs.ts, a
 * file here that exports an OpenOutput, and its line in index.ts. It makes parcels and says how one is sent; when, how often and
 * what becomes of those that nobody takes is the delivery's (../delivery), the same for all.
 */

/** What is sent at once. Plain JSON without secrets: what was not sent by the end is kept in the run's directory. */
export interface Parcel {
  /** Tells it from all others of its output, in this run or any: who got it twice can know. */
  readonly id: string;
  /** The second of the command that it is about: what is dropped is dropped in whole seconds. */
  readonly second: number;
  readonly body: string;
}

/** How much may wait to be sent, and how long. */
export interface Bounds {
  readonly bytes: number;
  readonly ageMs: Milliseconds;
}

/** What came of sending a parcel once. */
export type Answer =
  /** It is there; `lost`: but for this, for good. */
  | { readonly is: 'taken'; readonly lost?: string }
  /** It is not there, and may be sent again: at once, or after what the other side asked for. */
  | { readonly is: 'later'; readonly why: string; readonly afterMs?: Milliseconds }
  /** It is not there, and sending it again would come to the same. `all`: neither does anything else. */
  | { readonly is: 'refused'; readonly why: string; readonly all?: true }
  /** It may be there or not: no answer came. */
  | { readonly is: 'unknown'; readonly why: string };

/** A place that hears of a run. */
export interface Output {
  readonly unit: OutputUnit;
  /** Whether a parcel may be sent again when nobody knows whether it arrived: the other side tells that it is the same. */
  readonly repeatable: boolean;
  /** What to send for something that people are to know. */
  readonly told?: (message: Message) => readonly Parcel[];
  /** What to send for an event: numbers, not words. */
  readonly heard?: (event: LoggedEvent) => readonly Parcel[];
  /** What to send for a line of one of the run's files. */
  readonly kept?: (line: KeptLine) => readonly Parcel[];
  /** What to send for a second of the fleet's numbers, where it is asked for them. */
  readonly counted?: (numbers: LiveNumbers, stamp: Stamp) => readonly Parcel[];
  /** How much may wait, where that is not the usual. */
  readonly bounds?: Bounds;
  /** What to send at the end, whatever came before it. */
  readonly closing?: () => readonly Parcel[];
  /** What somebody else is to send where this process is killed now; asked after each message. */
  readonly owed?: () => readonly Parcel[];
  /** What was taken and is not there, in words; undefined where all of it is, or nobody can look. Asked once, at the end. */
  readonly missing?: (signal: AbortSignal) => Promise<string | undefined>;
  /** What a test of it sends, which nobody takes for a run. */
  readonly trial: (trial: Trial) => readonly Parcel[];
  /** Why what a test sent is not found there; undefined where it is. Missing where nobody can look. */
  readonly lookFor?: (trial: Trial, signal: AbortSignal) => Promise<string | undefined>;
  /** Sends a parcel once. Never rejects; `signal` ends it. */
  send(parcel: Parcel, signal: AbortSignal): Promise<Answer>;
}

/** A test of an output: whether what is sent arrives. */
export interface Trial {
  /** What marks it, as the id of a run marks what is sent of a run. */
  readonly testid: string;
  readonly message: Message;
}

/** What an output is opened with. */
export interface OutputContext {
  /** What the other side is told about who sends: `loadctl/<version>`. */
  readonly label: string;
  readonly environment: string;
  /** How many requests a second are planned, where the plan knows. */
  readonly requestsPerSecond?: PerSecond;
  readonly clock: Clock;
  /** Knows what must not be told of what others answer. */
  readonly redact: Redactor;
}

/** An output of one kind, as a run carries it out. */
export type OutputOf<Kind extends PlannedOutput['kind']> = Extract<PlannedOutput, { readonly kind: Kind }>;

/** Opens an output; sends nothing yet. */
export type OpenOutput<Kind extends PlannedOutput['kind']> = (output: OutputOf<Kind>, context: OutputContext) => Output;
