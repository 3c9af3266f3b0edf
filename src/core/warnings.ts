import type { CapacityProblem } from './capacity.js';
import type { Criterion } from './criterion.js';
import type { ErrorData } from './errors.js';
import type { RunId, RunnerId } from './ids.js';
import type { Milliseconds, PerSecond, Share } from './quantities.js';
import type { Colour } from './stop.js';
import type { DataPlace } from './work.js';

/**
 * Everything that a user should know and that does not end a phase, by its code. The sentences are the reporters':
 * a new code is one variant here and one sentence there, and the compiler asks for it.
 */
export type Warning = PlanWarning | LoadWarning | LiveWarning | MonitorWarning | OutputWarning | DataWarning;

/** What a run cannot show however well it goes. */
export type PlanWarning =
  /** A limit that holds only where the service does badly; `meant` is the operator that it probably should have. */
  | { readonly code: 'limit-wrong-way'; readonly limit: Criterion; readonly meant: '<' | '>=' }
  /** The judged window is shorter than the time between two health probes. */
  | { readonly code: 'window-without-probe'; readonly limit: Criterion }
  /** One missed health probe breaks the limit; `neededMs` is the window that would allow for one, where there is any. */
  | {
      readonly code: 'limit-allows-no-missed-probe';
      readonly limit: Criterion;
      readonly probes: number;
      readonly windowMs: Milliseconds;
      readonly neededMs?: Milliseconds;
    }
  /** One failed request of so many breaks the limit. */
  | { readonly code: 'limit-allows-no-failed-request'; readonly limit: Criterion; readonly requests: number }
  /** The load makes fewer requests than the limit asks for. */
  | { readonly code: 'limit-above-load'; readonly limit: Criterion; readonly requestsPerSecond: PerSecond }
  /** Limits for the servers that no monitor measures. */
  | { readonly code: 'limits-not-measured'; readonly limits: readonly Criterion[] }
  /** A monitor looks so seldom that the judged window has too few of its samples. */
  | {
      readonly code: 'limit-lacks-samples';
      readonly limit: Criterion;
      readonly monitor: string;
      readonly everyMs: Milliseconds;
      readonly windowMs: Milliseconds;
      /** Of one that tells in whole periods: how many lie in the window, which may begin at any moment of one. */
      readonly points?: { readonly least: number; readonly most: number };
    }
  /** An abort rule about a server that no monitor measures. */
  | { readonly code: 'rule-not-watched'; readonly when: Criterion };

/** What was noticed about the script, k6 and the hosts that make the load. */
export type LoadWarning =
  /** Variables of the shell that would change what k6 does; those of its options can be said as such, those of its modules in workload.env. */
  | {
      readonly code: 'environment-ignored';
      readonly variables: readonly string[];
      readonly ofOptions: readonly string[];
      readonly ofModules?: readonly string[];
    }
  /** Variables of `workload.env` by which k6 would be told how to start, log or report: that is loadctl's. */
  | { readonly code: 'variables-unheard'; readonly variables: readonly string[] }
  /** The script uses the tag by which loadctl marks the judged window. */
  | { readonly code: 'tag-lost'; readonly tag: string }
  /** What k6 logged as a warning or an error, so many times. */
  | { readonly code: 'k6-complained'; readonly message: string; readonly times: number }
  /** k6 is not the same on all hosts: hosts by version. */
  | { readonly code: 'k6-versions-differ'; readonly versions: Readonly<Record<string, readonly string[]>> }
  /** A host's clock is ahead of (positive) or behind this machine's. */
  | { readonly code: 'clock-off'; readonly host: string; readonly offsetMs: Milliseconds }
  /** The load will probably not fit its hosts. */
  | { readonly code: 'capacity-short'; readonly problem: CapacityProblem }
  /** Other processes kept a generator's machine busy. */
  | {
      readonly code: 'generators-crowded';
      readonly runners: readonly string[];
      readonly host: string;
      readonly forMs: Milliseconds;
      readonly ofMs: Milliseconds;
      readonly k6: Share;
    }
  /** k6 cannot keep the runners away from the live colour as it should. */
  | { readonly code: 'live-colour-in-reach'; readonly gap: BlockGap }
  /** teardown() did not run, or was lost with the runner on which it ran: what there is to undo is left. */
  | { readonly code: 'teardown-not-run'; readonly why: TeardownGap }
  | { readonly code: 'handle-summary-failed'; readonly message: string }
  | { readonly code: 'numbers-unreadable'; readonly runner: RunnerId; readonly message: string }
  /** Part of what a runner wrote or said could not be brought here or kept. */
  | { readonly code: 'files-not-kept'; readonly runner: RunnerId; readonly message: string }
  /** A runner logged so much that the middle of it was only counted. */
  | { readonly code: 'log-cut'; readonly runner: RunnerId; readonly leftOutBytes?: number }
  /** A runner came to its end, but stood still for so long in all: so much of the whole load was not made. */
  | { readonly code: 'runner-stood-still'; readonly runner: RunnerId; readonly forMs: Milliseconds; readonly lost: Share }
  /** Runners wrote no summary: their pushed numbers are used, and their counts for the rates `uncounted` are unknown. */
  | { readonly code: 'numbers-pushed-only'; readonly runners: readonly RunnerId[]; readonly uncounted: readonly string[] }
  /** Nothing of these runners is in the result, and other runners' numbers are: of the whole load, `lost` is missing. */
  | { readonly code: 'numbers-missing'; readonly runners: readonly RunnerId[]; readonly lost: Share }
  /** A second Ctrl-C ended these runners before they had written their numbers. */
  | { readonly code: 'numbers-cut-off'; readonly runners: readonly RunnerId[] }
  /** The wall clock of this machine went on by so much more (negative: less) than time did: it was set, or the machine slept. */
  | { readonly code: 'clock-jumped'; readonly byMs: Milliseconds }
  /** loadctl itself did not run for so long, and could hear nothing. */
  | { readonly code: 'stood-still'; readonly forMs: Milliseconds }
  /** A limit that ends the load and that the live data cannot tell: it is judged at the end only. */
  | { readonly code: 'limit-not-watched'; readonly limit: Criterion };

/** Why teardown() did not run to its end: setup() failed or its data is lost, its last runner is, or all was ended at once. */
export type TeardownGap = 'no-data' | 'no-runner' | 'lost' | 'ended-at-once';

/** Why k6's block lists cannot keep the runners away from the live colour. */
export type BlockGap = { readonly live: Colour; readonly loaded: Colour; readonly host: string } & (
  | { readonly why: 'same-host' }
  | { readonly why: 'shared-address'; readonly addresses: readonly string[]; readonly byName: boolean }
  | { readonly why: 'unresolved'; readonly byName: boolean }
  /** k6 does not take the host for a name: its address is blocked. */
  | { readonly why: 'no-name' }
);

/** Why a push of live data was turned away. */
export type PushRejection = 'malformed' | 'oversized' | 'foreign';

/** What was noticed while the load was on. */
export type LiveWarning =
  /** Grafana Cloud does not say how its run is, for the time being; by k6's words. */
  | { readonly code: 'cloud-unreachable'; readonly why: string; readonly leavesAfterMs: Milliseconds }
  /** Grafana Cloud was asked to end its run, and did not take that; by k6's words. */
  | { readonly code: 'cloud-not-aborted'; readonly why: string }
  | { readonly code: 'push-rejected'; readonly why: PushRejection }
  /** So many different requests that further ones are counted as "other" in the live view. */
  | { readonly code: 'requests-folded' }
  /** So many different series that further ones are left out of the live view. */
  | { readonly code: 'series-left-out' }
  /** The live colour could not be looked up; it is tried again after `retryMs`. */
  | { readonly code: 'live-lookup-failed'; readonly error: ErrorData; readonly retryMs: Milliseconds };

/** What was noticed of what watches the servers. */
export type MonitorWarning =
  /** A source cannot be looked at; `required`: without its data the result is invalid. */
  {
    readonly code: 'monitor-silent';
    readonly monitor: string;
    readonly source: string;
    readonly why: string;
    readonly required: boolean;
  };

/** What was noticed of where people and dashboards hear of a run; the run itself goes on. */
export type OutputWarning =
  /** What is to be sent has waited for a while: the other side is dead or slow. */
  | { readonly code: 'output-behind'; readonly output: string; readonly why: string }
  /** The other side does not take what it was sent, for good; told once. */
  | { readonly code: 'output-refused'; readonly output: string; readonly why: string }
  /** So much was not sent by the end: `kept` in the run's directory for `command`, `lost` for good. */
  | {
      readonly code: 'output-incomplete';
      readonly output: string;
      readonly kept: number;
      readonly lost: number;
      readonly unit: OutputUnit;
      readonly command?: string;
    };

/** What an output counts: what people are told, whole seconds of numbers, or marks in graphs. */
export type OutputUnit = 'message' | 'second' | 'annotation';

/** What was noticed about databases and caches. */
export type DataWarning =
  /** The lock was lost; for `retryMs` loadctl tries to get it back. */
  | { readonly code: 'lock-lost'; readonly place: DataPlace; readonly why: string; readonly retryMs: Milliseconds }
  /** Nothing tells seeded rows from other people's: cleanup leaves them. `fix` is how to make them certain. */
  | { readonly code: 'seeded-rows-uncertain'; readonly place: DataPlace; readonly table: string; readonly fix: string }
  /** A user that the script may draw from its pool is not seeded; `command` seeds the pool. */
  | { readonly code: 'pool-missing'; readonly place: DataPlace; readonly row: string; readonly command: string }
  /** Nobody could look whether the pool is seeded. */
  | { readonly code: 'pool-unknown'; readonly set: string; readonly why: string }
  /** The file that keeps what was counted and seeded from here cannot be used. */
  | { readonly code: 'before-file-unusable'; readonly file: string; readonly why: string }
  /** What a cleanup removed could not be noted in that file. */
  | { readonly code: 'before-file-not-written'; readonly file: string; readonly why: string }
  /** What a cleanup removes cannot be noted: the next one would not know of it. */
  | { readonly code: 'removals-not-noted'; readonly file: string; readonly why: string }
  /** Part of what this seed wrote could not be taken back after it failed. */
  | {
      readonly code: 'seed-not-taken-back';
      readonly place: DataPlace;
      readonly what: string;
      readonly why: string;
      /** What removes it. */
      readonly command: string;
    }
  /** A server evicted so many keys while something was seeded there: whose they were, nobody knows. */
  | { readonly code: 'keys-evicted'; readonly place: DataPlace; readonly node: string; readonly count: number }
  /** The ACL keeps a server's memory from us: whether a seed would make it evict keys is not known. */
  | { readonly code: 'memory-unknown'; readonly place: DataPlace; readonly node: string }
  /** Entries were gone when they were read back, and were written again. */
  | { readonly code: 'entries-vanished'; readonly place: DataPlace; readonly key: string; readonly count: number };

/** Everything that a user may want to know, by its code. */
export type Note =
  /** A first Ctrl-C or its like was heard. */
  | { readonly code: 'stopping'; readonly signal: string }
  /** A Ctrl-Z was heard while there were runners. */
  | { readonly code: 'suspension-refused' }
  /** A conductor in a cluster has taken the run over. */
  | { readonly code: 'conductor-started'; readonly job: string; readonly namespace: string }
  /** The conductor is out of reach for now; the run goes on, or ends, without being asked. */
  | { readonly code: 'conductor-away'; readonly why: string }
  /** A stop that was asked for does not reach the conductor yet. */
  | {
      readonly code: 'stop-undelivered';
      readonly why: string;
      /** What ends the run where it never does: that nobody follows it for so long, its plan, or that its data is done. */
      readonly endsBy: { readonly cause: 'unfollowed' | 'planned'; readonly afterMs: Milliseconds } | { readonly cause: 'done' };
    }
  /** A file of the run directory arrived damaged, and is asked for again. */
  | { readonly code: 'copy-damaged'; readonly path: string }
  /** What getting a k6 binary is about. */
  | { readonly code: 'k6-binary'; readonly message: string }
  /** A run without a profile looks at one page: each VU asks for it every `everyMs`. */
  | {
      readonly code: 'first-look';
      readonly url: string;
      readonly vus: number;
      readonly durationMs: Milliseconds;
      readonly everyMs: Milliseconds;
    }
  /** What is left to do by hand after a load that ended early; `command` takes the test data out. */
  | { readonly code: 'cleanup-advised'; readonly command: string; readonly hasData: boolean }
  /** A load that may go on elsewhere writes what no cleanup of now finds. */
  | { readonly code: 'cleanup-later'; readonly command: string }
  /** Further kinds of k6's complaints are in the logs of the runners. */
  | { readonly code: 'k6-complaints-left'; readonly kinds: number; readonly folder: string }
  /** The script said so many lines by `console`; they are in the logs of the runners. */
  | { readonly code: 'script-logged'; readonly lines: number; readonly folder: string }
  /** How far apart the runners began cannot be told: the clock of one of their hosts was set meanwhile. */
  | { readonly code: 'start-skew-unknown' }
  /** k6 has been reading the script for so long; it gets `limitMs` in all. */
  | { readonly code: 'script-slow'; readonly script: string; readonly forMs: Milliseconds; readonly limitMs: Milliseconds }
  /** The runners' CPU and memory cannot be read on this system. */
  | { readonly code: 'generators-unreadable' }
  | { readonly code: 'pushes-rejected'; readonly why: PushRejection; readonly times: number }
  /** The load is over, and the last points of these monitors come up to three minutes later. */
  | { readonly code: 'points-awaited'; readonly monitors: readonly string[] }
  /** A source of a monitor is looked at again. */
  | { readonly code: 'monitor-back'; readonly monitor: string; readonly source: string }
  /** What of a monitor does not fit a number: a missing right and what falls away, what a share is taken of. */
  | { readonly code: 'monitor-remark'; readonly monitor: string; readonly remark: string }
  /** After failed look-ups: the same colour is live as before. */
  | { readonly code: 'live-colour-unchanged'; readonly live: Colour }
  /** Seeded rows and entries stay for the next test. */
  | { readonly code: 'seeded-data-kept' }
  /** A sequence that numbers a seeded column is not moved by what is seeded: it goes on from `next`. */
  | { readonly code: 'sequence-stays'; readonly place: DataPlace; readonly set: string; readonly sequence: string; readonly next: string }
  /** What the schema itself will do when rows are deleted: a trigger, a cascade. */
  | { readonly code: 'side-effect'; readonly effect: string }
  /** Seeded rows that were changed since were removed; `kept`: others reference them. */
  | { readonly code: 'changed-seed-removed'; readonly removed: number; readonly kept: number }
  /** An output that was behind has caught up after so long; so much was dropped meanwhile. */
  | {
      readonly code: 'output-back';
      readonly output: string;
      readonly forMs: Milliseconds;
      readonly lost: number;
      readonly unit: OutputUnit;
    }
  /** An output of an earlier run whose loadctl was killed owed a last word, an incident to resolve, and it was sent now. */
  | { readonly code: 'output-settled'; readonly output: string; readonly run: RunId }
  /** A replica does not report its position. */
  | { readonly code: 'replica-position-unknown'; readonly place: DataPlace };
