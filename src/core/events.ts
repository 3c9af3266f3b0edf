import type { ExitReason } from './errors.js';
import type { EpochMs, Milliseconds, Share } from './quantities.js';

/** The phases of a test, each a subcommand. */
export type Phase = 'seed' | 'run' | 'verify' | 'cleanup';

/** One of the two sides of a blue-green deployment. */
export type Colour = 'blue' | 'green';

/**
 * Why a load is ended before its time: Ctrl-C or SIGTERM; `test.abort()`; a threshold with `abortOnFail` that the fleet
 * crossed; an abort rule of the profile; a runner that was lost; the lock that was lost; the colour under load that went
 * live, or of which nobody knows any more whether it did; the run directory that can no longer be written.
 */
export type StopCause = 'signal' | 'script' | 'threshold' | 'rule' | 'runner-lost' | 'lock-lost' | 'live-colour' | 'directory-lost';

/** A value read off live data, with the bounds that it certainly lies in. */
export interface LiveValue {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How long requests took, in milliseconds. */
export interface LiveLatency {
  readonly p50: LiveValue;
  readonly p95: LiveValue;
  readonly p99: LiveValue;
}

/** What the fleet does at one endpoint (the `name` of its requests). Counts are since the start. */
export interface EndpointSample {
  readonly name: string;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly failedRequests: number;
  readonly latency?: LiveLatency;
}

/**
 * Everything that can happen, in plain words. A closed union: the terminal, plain lines, JSON and every report are
 * folds over it, and a run's events.ndjson is the list of them.
 */
export type LoadctlEvent =
  /** A phase began; `title` says what it is about to do, in one line. */
  | { readonly type: 'phase-started'; readonly phase: Phase; readonly environment: string; readonly title: string }
  /** A phase came to its end; `reasons` are all that hold (empty: it passed). */
  | { readonly type: 'phase-finished'; readonly phase: Phase; readonly elapsedMs: Milliseconds; readonly reasons: readonly ExitReason[] }
  /** A piece of work that takes a while began: connecting, archiving, seeding one store. Ids are unique within a phase. */
  | { readonly type: 'step-started'; readonly step: string; readonly title: string }
  /** How far a step is; `total` where it is known. */
  | { readonly type: 'step-progressed'; readonly step: string; readonly done: number; readonly total?: number; readonly unit: string }
  /** A step is done; `detail` is what came of it, in a few words. */
  | { readonly type: 'step-finished'; readonly step: string; readonly elapsedMs: Milliseconds; readonly detail: string }
  /** A step failed; the error itself ends the phase and is told by the shell. */
  | { readonly type: 'step-failed'; readonly step: string; readonly message: string }
  /** Something the user should know and that does not end the phase. */
  | { readonly type: 'warned'; readonly message: string; readonly hint?: string }
  /** Something the user may want to know. */
  | { readonly type: 'noted'; readonly message: string }
  /** The run's directory was made. */
  | { readonly type: 'run-opened'; readonly run: string; readonly directory: string; readonly planHash: string }
  /** Which colour is live was looked up: the other one is loaded, at `url`. */
  | { readonly type: 'live-colour-found'; readonly live: Colour; readonly loaded: Colour; readonly url: string }
  /** The lock in a database was gone for so long, and is held again: nobody else had it when it was taken. */
  | { readonly type: 'lock-regained'; readonly database: string; readonly elapsedMs: Milliseconds }
  /** A k6 process was started, paused. */
  | { readonly type: 'runner-started'; readonly runner: string; readonly host: string; readonly pid?: number; readonly segment: string }
  /** A runner has its VUs and waits at the barrier. */
  | { readonly type: 'runner-ready'; readonly runner: string; readonly vus: number }
  /** setup() ran, once, on this runner. */
  | { readonly type: 'setup-finished'; readonly runner: string; readonly elapsedMs: Milliseconds }
  /** All runners were released: the load begins. */
  | { readonly type: 'fleet-released'; readonly runners: number }
  /** One second of the whole fleet. Counts and latency are since the start, endpoints are those with most requests. */
  | {
      readonly type: 'fleet-sampled';
      readonly elapsedMs: Milliseconds;
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
    }
  /** One answer of the target's health endpoint to loadctl's own probe; `status` 0: none came. */
  | { readonly type: 'health-probed'; readonly good: boolean; readonly status: number; readonly elapsedMs: Milliseconds }
  /** A runner was lost and the others go on; `lostShare` of the whole load is lost by now, and whether the profile allows that. */
  | { readonly type: 'runner-lost'; readonly runner: string; readonly how: string; readonly lostShare: Share; readonly allowed: boolean }
  /** The load is being ended before its time, everywhere; or a signal came after it, while its end was under way. */
  | { readonly type: 'fleet-stopped'; readonly cause: StopCause; readonly reason: string }
  /** No runner makes load any more. */
  | { readonly type: 'load-ended'; readonly elapsedMs: Milliseconds }
  /** teardown() began, on this runner. */
  | { readonly type: 'teardown-started'; readonly runner: string }
  /** teardown() ran, once, on this runner; `error` is what it threw, or with what it `aborted` the test. */
  | {
      readonly type: 'teardown-finished';
      readonly runner: string;
      readonly elapsedMs: Milliseconds;
      readonly error?: string;
      readonly aborted?: boolean;
    }
  /** Everything was ended at once while teardown() ran on this runner: what it was to undo may be there still. */
  | { readonly type: 'teardown-cut-off'; readonly runner: string; readonly elapsedMs: Milliseconds }
  /**
   * A runner's process is gone; `lost`: it ended without being asked to, or without its numbers; `markedFailed`: the
   * script called `test.fail()` in it.
   */
  | {
      readonly type: 'runner-ended';
      readonly runner: string;
      readonly exitCode?: number;
      readonly signal?: string;
      /** Nobody knows how it ended: it did not answer any more (`ETIMEDOUT`), its host was out of reach (`EHOSTUNREACH`). */
      readonly error?: string;
      readonly markedFailed?: boolean;
      readonly lost: boolean;
    }
  /** How far apart the runners' first iterations began, by what they measured themselves. */
  | { readonly type: 'start-skew-measured'; readonly skewMs: Milliseconds }
  /** What the script's own handleSummary wrote to stdout and stderr; empty where it wrote nothing. */
  | { readonly type: 'summary-handled'; readonly stdout: string; readonly stderr: string }
  /** A runner could not make connections for want of something of its own machine, so many times by its log. */
  | { readonly type: 'runner-short'; readonly runner: string; readonly of: 'ports' | 'open files' | 'memory'; readonly times: number }
  /** The run was judged; the verdict is verdict.json's. */
  | { readonly type: 'judged'; readonly run: string; readonly verdict: unknown }
  /** The receipt of a cleanup; receipt.json's content. */
  | { readonly type: 'receipt-made'; readonly receipt: unknown };

/** An event with the moment it happened: a line of events.ndjson. */
export type LoggedEvent = LoadctlEvent & { readonly at: EpochMs };

/** Tells that something happened. Never throws, never waits. */
export type Emit = (event: LoadctlEvent) => void;
