import type { CloudOutcome } from './cloud.js';
import type { Criterion } from './criterion.js';
import type { ErrorData, ExitReason } from './errors.js';
import type { RunId, RunnerId } from './ids.js';
import type { BrokenLimit, ServerSample } from './monitors.js';
import type { RunnerEnd, RunnerOutcome } from './outcome.js';
import type { EpochMs, LiveValue, Milliseconds, PerSecond, Share } from './quantities.js';
import type { ChangedSeed, OtherRows, Receipt } from './receipt.js';
import type { Colour, Stop } from './stop.js';
import type { Verdict } from './verdict.js';
import type { Note, Warning } from './warnings.js';
import type { DataPlace, Work, WorkResult } from './work.js';

/** The commands that leave a trace of events. */
export type TracedCommand = 'seed' | 'run' | 'cleanup' | 'test' | 'doctor';

/** The phases of a test that take time; verify reads what they left. */
export type Phase = 'seed' | 'run' | 'cleanup';

/** What somebody is shown before a question: data, which the terminal that shows it says in words of its own width and colours. */
export type Preview =
  /** What is about to be done: a plan, and what is told beside it (reporters/plan-table.ts). */
  | { readonly kind: 'plan'; readonly plan: object; readonly notes: object }
  /** Seeded rows that would be removed though they were changed. */
  | { readonly kind: 'changed-rows'; readonly changed: readonly ChangedSeed[] };

/** What a phase is about to do. */
export type PhaseAim =
  | { readonly phase: 'seed'; readonly rows: number; readonly steps: number }
  /** `url` without credentials; behind colours, which of the two it is. */
  | {
      readonly phase: 'run';
      readonly runners: number;
      readonly backend: string;
      readonly url: string;
      readonly colour?: { readonly loaded: Colour; readonly live: Colour };
    }
  | { readonly phase: 'cleanup'; readonly dryRun: boolean };

/** How setup() or teardown() failed: it threw, called `test.abort()`, or took longer than its timeout. */
export type ScriptFailureKind = 'threw' | 'aborted' | 'timed-out';

/** How long requests took, in milliseconds. */
export interface LiveLatency {
  readonly p50: LiveValue;
  readonly p95: LiveValue;
  readonly p99: LiveValue;
}

/** What the fleet, an endpoint or a scenario did over the last seconds; percentiles in milliseconds, missing where nothing was measured. */
export interface RecentSample {
  readonly requests: number;
  readonly failedRequests: number;
  readonly p50?: Milliseconds;
  readonly p95?: Milliseconds;
  readonly p99?: Milliseconds;
}

/** What the fleet does at one endpoint (the `name` of its requests). Counts are since the start. */
export interface EndpointSample {
  readonly name: string;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly failedRequests: number;
  readonly latency?: LiveLatency;
  readonly recent?: RecentSample;
}

/** How a limit stands by now, in the judged window as far as it came; without an outcome nobody knows yet. */
export interface LimitSample {
  readonly limit: Criterion;
  readonly value?: number;
  readonly outcome?: 'pass' | 'fail' | 'undecided';
}

/** What a load is about to be, for those who watch it. */
export interface LoadAim {
  /** The judged window, counted from the start; missing where it is the whole load. */
  readonly judged?: { readonly from: Milliseconds; readonly to: Milliseconds };
  /** Which share of the requests each endpoint is to get, where the profile gives a mix. */
  readonly shares?: Readonly<Record<string, Share>>;
}

/** What a run measured at one endpoint, or at all of them: of the judged window, where there is one. */
export interface EndpointNumbers {
  readonly requests: number;
  /** Missing where the window has no length. */
  readonly requestsPerSecond?: PerSecond;
  /** The share of failed requests; missing where it is not known. */
  readonly errors?: Share;
  /** Missing where nothing was measured. */
  readonly latency?: LiveLatency;
}

/** What a run measured of one scenario, in the judged window where there is one; dropped iterations over the whole test. */
export interface ScenarioNumbers {
  readonly name: string;
  readonly iterations: number;
  readonly iterationsPerSecond?: PerSecond;
  readonly dropped?: number;
  readonly requests: number;
  readonly errors?: Share;
  readonly p95?: Milliseconds;
}

/** A metric of the script's own; the keys of its values are k6's. */
export interface CustomMetric {
  readonly name: string;
  readonly type: 'counter' | 'rate' | 'gauge' | 'trend';
  readonly contains: 'default' | 'time' | 'data';
  readonly values: Readonly<Record<string, number>>;
}

/** What a script shows of itself: missing or empty is what it does not have. */
export interface ScriptNumbers {
  readonly checks?: {
    readonly passes: number;
    readonly fails: number;
    /** Those that failed at least once, most often first, at most 30. */
    readonly failing: readonly { readonly name: string; readonly path: string; readonly passes: number; readonly fails: number }[];
  };
  readonly droppedIterations?: number;
  /** Where there are several, at most 30. */
  readonly scenarios: readonly ScenarioNumbers[];
  /** At most 30. */
  readonly metrics: readonly CustomMetric[];
}

/** How often a check of the script held, and how often it did not. */
export interface CheckNumbers {
  readonly name: string;
  /** As k6 has it: `::outer::inner`; empty outside of all groups. */
  readonly group: string;
  readonly passes: number;
  readonly fails: number;
}

/** How one seed step came out in one database. */
export interface SeededStep {
  readonly store: string;
  /** Null where the store has no shards. */
  readonly shard: number | null;
  /** The set's name. */
  readonly set: string;
  /** The table or the key's template. */
  readonly what: string;
  readonly created: number;
  readonly alreadyThere: number;
  readonly conflicts: number;
  readonly elapsedMs: Milliseconds;
  readonly rowsPerSecond: number;
  /** How many were gone when they were read back, and were written once more; missing where nothing is read back. */
  readonly writtenAgain?: number;
  /** What the servers evicted meanwhile. */
  readonly evicted?: readonly EvictedKeys[];
}

/** What was counted before anything was seeded, and what was seeded then: it is kept for a cleanup that comes later. */
export interface CountedBefore {
  /** ISO 8601 */
  readonly at: string;
  /** What there was besides test data; missing where nobody counted. */
  readonly others?: readonly OtherRows[];
  readonly seeded: readonly SeededSet[];
  /** Keys that servers evicted while they were seeded: whose they were, nobody knows. */
  readonly evicted: readonly EvictedKeys[];
}

/** A set as it was seeded: whose its rows are is told by this, whatever the profile says later. */
export interface SeededSet {
  readonly set: string;
  readonly store: string;
  /** Where the store was. */
  readonly place: string;
  readonly rows: number;
  /** How many of them are to be there: all after a seed, and fewer by those that a cleanup removed; missing while the first seed is under way. */
  readonly there?: number;
  /** Columns that cleanup found rows by (`db.orders.customer`), and that had none of the set's numbers when they were first listed. */
  readonly free?: readonly string[];
  /** A hash of the place and of all templates: the same ones are the same set, with however many rows. */
  readonly fingerprint: string;
  /** The set and those that it refers to, as a profile writes them. */
  readonly sets: Readonly<Record<string, unknown>>;
}

/** Keys that one server evicted while something was seeded there. */
export interface EvictedKeys {
  readonly store: string;
  /** host:port */
  readonly node: string;
  readonly count: number;
}

/**
 * Everything that can happen. A closed union: the terminal, plain lines, JSON and every report are folds over it, and a
 * run's events.ndjson is the list of them. Events hold data; the sentences are the reporters'.
 */
export type LoadctlEvent =
  /** A command began: the first event of all. */
  | { readonly type: 'command-started'; readonly command: TracedCommand; readonly environment: string; readonly version: string }
  /** Somebody has to be shown this, and asked for a line, who is not where the command is carried out; without `prompt` only shown. An earlier loadctl left `shown` as a text. */
  | { readonly type: 'question-asked'; readonly question: number; readonly shown: Preview | string; readonly prompt?: string }
  /** A question is settled: a line was typed, or nobody would; `lateMs` where it was waited for so long, and nobody did. */
  | { readonly type: 'question-settled'; readonly question: number; readonly isAnswered: boolean; readonly lateMs?: Milliseconds }
  /** What ended a command, or one phase of a whole test, before its time. */
  | { readonly type: 'failed'; readonly error: ErrorData; readonly phase?: Phase }
  /** A command ended: the last event of all. `reasons` are all that hold (empty: it passed). */
  | { readonly type: 'command-finished'; readonly reasons: readonly ExitReason[] }
  /** A phase began. */
  | ({ readonly type: 'phase-started'; readonly environment: string } & PhaseAim)
  /** A phase ended; `reasons` are all that hold (empty: it passed). */
  | { readonly type: 'phase-finished'; readonly phase: Phase; readonly elapsedMs: Milliseconds; readonly reasons: readonly ExitReason[] }
  /** A piece of work that takes a while began. `step` is unique within a phase. */
  | { readonly type: 'step-started'; readonly step: string; readonly work: Work }
  /** How far a step is; `total` where it is known. */
  | {
      readonly type: 'step-progressed';
      readonly step: string;
      readonly done: number;
      readonly total?: number;
      readonly unit: 'rows' | 'entries' | 'seconds';
    }
  /** A step is done. */
  | ({ readonly type: 'step-finished'; readonly step: string; readonly elapsedMs: Milliseconds } & WorkResult)
  /** A step failed; the error itself ends the phase and is told by the shell. */
  | { readonly type: 'step-failed'; readonly step: string; readonly message: string }
  /** Something the user should know and that does not end the phase. */
  | ({ readonly type: 'warned' } & Warning)
  /** Something the user may want to know. */
  | ({ readonly type: 'noted' } & Note)
  /** What the profile declares is in. */
  | { readonly type: 'seeded'; readonly stores: readonly SeededStep[]; readonly before?: CountedBefore }
  /** The run's directory was made. */
  | { readonly type: 'run-opened'; readonly run: RunId; readonly directory: string; readonly planHash: string }
  /** Which colour is live was looked up: the other one is loaded, at `url`. */
  | { readonly type: 'live-colour-found'; readonly live: Colour; readonly loaded: Colour; readonly url: string }
  /** The lock in a database was gone for so long, and is held again: nobody else had it when it was taken. */
  | { readonly type: 'lock-regained'; readonly place: DataPlace; readonly elapsedMs: Milliseconds }
  /** A k6 process was started, paused. */
  | { readonly type: 'runner-started'; readonly runner: RunnerId; readonly host: string; readonly pid?: number; readonly segment: string }
  /** A runner has its VUs and waits at the barrier. */
  | { readonly type: 'runner-ready'; readonly runner: RunnerId; readonly vus: number }
  /** setup() ran, once, on this runner. */
  | { readonly type: 'setup-finished'; readonly runner: RunnerId; readonly elapsedMs: Milliseconds }
  /** setup() threw, took too long, or aborted the test: there is no load. */
  | { readonly type: 'setup-failed'; readonly runner: RunnerId; readonly elapsedMs: Milliseconds; readonly error: ErrorData }
  /** All runners are being released: the load begins. Told before the first one hears of it. */
  | ({ readonly type: 'fleet-released'; readonly runners: number } & LoadAim)
  /** One second of the whole fleet. Counts and latency are since the start, endpoints are those with most requests. */
  | {
      readonly type: 'fleet-sampled';
      readonly elapsedMs: Milliseconds;
      /** When the load is expected to be over. */
      readonly totalMs: Milliseconds;
      readonly vus: number;
      readonly requests: number;
      readonly requestsPerSecond: number;
      readonly failedRequests: number;
      readonly iterations: number;
      readonly runnersReporting: number;
      readonly latency?: LiveLatency;
      readonly endpoints?: readonly EndpointSample[];
      /** How many endpoints there are, told or not. */
      readonly endpointsInAll?: number;
      /** The percentiles of this second alone. */
      readonly second?: Pick<RecentSample, 'p50' | 'p95' | 'p99'>;
      /** The last seconds, 10 at most, and how many milliseconds they are; those of endpoints and scenarios too. */
      readonly recent?: RecentSample & { readonly overMs: Milliseconds };
      /** Those with most requests, at most 30, where there are several. */
      readonly scenarios?: readonly (RecentSample & { readonly name: string })[];
    }
  /** One answer of the target's health endpoint to loadctl's own probe; `status` 0: none came. */
  | { readonly type: 'health-probed'; readonly good: boolean; readonly status: number; readonly elapsedMs: Milliseconds }
  /** What the limits for the servers stand at, each at its worst source; once a second. */
  | { readonly type: 'servers-sampled'; readonly samples: readonly ServerSample[] }
  /** How the limits for the clients and the script's own stand; once a second. */
  | { readonly type: 'limits-sampled'; readonly limits: readonly LimitSample[] }
  /** A limit has been broken for a while, in the judged window. */
  | ({ readonly type: 'limit-breached'; readonly forMs: Milliseconds } & BrokenLimit)
  /** It holds again, after it was broken for so long; `over`: the window ended first. */
  | ({ readonly type: 'limit-recovered'; readonly forMs: Milliseconds; readonly over?: true } & BrokenLimit)
  /**
   * A runner was just lost, and the others go on; so much of the load is lost with it, by now, and whether the profile allows
   * what is lost in all. News: what counts is its outcome, {@link RunnerOutcome}.
   */
  | {
      readonly type: 'runner-lost';
      readonly runner: RunnerId;
      readonly end: RunnerEnd;
      readonly lost: Share;
      readonly allowed: boolean;
    }
  /** The load is being ended before its time, everywhere; or a signal came after it, while its end was under way. */
  | ({ readonly type: 'fleet-stopped' } & Stop)
  /** Grafana Cloud has the run: where it can be watched. */
  | { readonly type: 'cloud-run-started'; readonly url: string }
  /** What the run there is at, in k6's words: `Queued`, `Initializing`, `Running`. */
  | { readonly type: 'cloud-run-reached'; readonly state: string }
  /** What came of the run there. */
  | ({ readonly type: 'cloud-run-ended' } & CloudOutcome)
  /** No runner makes load any more. */
  | { readonly type: 'load-ended'; readonly elapsedMs: Milliseconds }
  /** teardown() began, on this runner; `again`: another one was lost while it ran there, so that part of it may run twice. */
  | { readonly type: 'teardown-started'; readonly runner: RunnerId; readonly again?: true }
  /** teardown() ran on this runner; `error` is what it threw, with what it `aborted` the test, or that it was too slow. */
  | {
      readonly type: 'teardown-finished';
      readonly runner: RunnerId;
      readonly elapsedMs: Milliseconds;
      readonly error?: string;
      readonly how?: ScriptFailureKind;
    }
  /** A runner was lost while teardown() ran on it. */
  | { readonly type: 'teardown-lost'; readonly runner: RunnerId; readonly elapsedMs: Milliseconds; readonly end: RunnerEnd }
  /** Everything was ended at once while teardown() ran on this runner: what it was to undo may be there still. */
  | { readonly type: 'teardown-cut-off'; readonly runner: RunnerId; readonly elapsedMs: Milliseconds }
  /** What came of a runner. */
  | ({ readonly type: 'runner-ended' } & RunnerOutcome)
  /** How far apart the runners' first iterations began, by what they measured themselves. */
  | { readonly type: 'start-skew-measured'; readonly skewMs: Milliseconds }
  /** What the script's own handleSummary wrote to stdout and stderr; empty where it wrote nothing. */
  | { readonly type: 'summary-handled'; readonly stdout: string; readonly stderr: string }
  /** A runner could not make connections for want of something of its own machine, so many times by its log. */
  | { readonly type: 'runner-short'; readonly runner: RunnerId; readonly of: 'ports' | 'open files' | 'memory'; readonly times: number }
  /** The fleet's merged numbers; the busiest endpoints, at most 30, and what the others made together. */
  | {
      readonly type: 'measured';
      readonly run: RunId;
      readonly k6Version: string;
      /** How many runners' numbers are in it. */
      readonly runners: number;
      readonly all: EndpointNumbers;
      readonly endpoints: readonly (EndpointNumbers & { readonly name: string })[];
      readonly other?: EndpointNumbers;
      readonly script: ScriptNumbers;
      /** Every check of the script, at most 500; missing in runs of earlier versions. */
      readonly checks?: readonly CheckNumbers[];
    }
  /** The run was judged; the last verdict is verdict.json's. `again`: after it was over, by what sources said of it late. */
  | { readonly type: 'judged'; readonly run: RunId; readonly verdict: Verdict; readonly again?: true }
  /** The receipt of a cleanup; receipt.json's content. */
  | { readonly type: 'receipt-made'; readonly receipt: Receipt };

/** When something is: by the wall clock, for people, and in milliseconds since the first event, which is what counts. */
export interface Stamp {
  readonly at: EpochMs;
  readonly t: Milliseconds;
}

/** An event with its moment: a line of events.ndjson. */
export type LoggedEvent = LoadctlEvent & Stamp;

/** Now, as the events of this command tell it. */
export type Moment = () => Stamp;

/** Tells that something happened. Never throws, never waits. */
export type Emit = (event: LoadctlEvent) => void;
