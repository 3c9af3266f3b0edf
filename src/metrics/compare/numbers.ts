import type { RunId } from '../../core/ids.js';
import type { EpochMs, Share, Unit } from '../../core/quantities.js';

/** How a number varies from run to run: by a share of itself, or as a count of rare events. */
export type Scale = 'ratio' | 'events';

/** One number of one run. */
export interface RunNumber {
  /** As the profile or the report calls it: `p95`, `GET /events p95`. */
  readonly name: string;
  readonly unit: Unit;
  readonly scale: Scale;
  /** Whether more of it is worse: latency and errors, not throughput. */
  readonly worse: 'higher' | 'lower';
  /** The profile has a limit for it: a change of it counts. */
  readonly gated: boolean;
  readonly value: number;
  /** What it certainly lies in, where the merge of several runners has bounds. */
  readonly low?: number;
  readonly high?: number;
  /** How far it may be off by what happens within a run, on either side, as a share of it; missing where that is not known. */
  readonly within?: Share;
  /** Of `events`: of how many requests `value` is the share. */
  readonly of?: number;
}

/** What a comparison has to know of a run; of a saved baseline it is all that is kept. */
export interface RunNumbers {
  readonly run: RunId;
  readonly environment: string;
  readonly startedAt: EpochMs;
  /** What makes the load, hashed; missing in runs of an earlier loadctl. */
  readonly workload?: string;
  /** What was tested, where the run was started in a git repository or by a CI that says so. */
  readonly commit?: string;
  readonly verdict: 'pass' | 'fail';
  /** What does not make the load and can still make a difference: versions, hosts. */
  readonly circumstances: Readonly<Record<string, string>>;
  /** Each name once. */
  readonly numbers: readonly RunNumber[];
  /** Limits for what is not compared: availability, the servers, shares other than errors, what had no data. */
  readonly limitsBeside?: readonly string[];
}
