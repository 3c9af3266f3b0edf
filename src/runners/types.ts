import type { Command } from '../core/command.js';
import type { Clock, ProcessEnd, Spawn } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import type { RunnerApi } from '../k6/rest.js';

/** How to start one runner, wherever it lives. */
export interface RunnerLaunch {
  readonly id: string;
  /** The k6 command for a runner whose REST API listens on `address`, and which writes its {@link runnerFiles} to `folder`. */
  command(address: string, folder: string): Command;
  /** The runner's own folder in the run directory: all that it wrote ends up there. */
  readonly folder: string;
}

/** One k6 process of the fleet. */
export interface Runner {
  readonly id: string;
  readonly host: string;
  /** The id of its process on its host, where it is known. */
  pid(): Promise<number | undefined>;
  readonly api: RunnerApi;
  /** Resolves when the process is gone; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Asks the process to end (k6 then writes its numbers), or ends it. */
  end(how: 'gracefully' | 'hard'): void;
  /** After its end: brings what it wrote into its folder. */
  collect(): Promise<RunnerFiles>;
  /**
   * What its process and its machine have used so far; undefined where that cannot be read. Never rejects. Missing where
   * the backend cannot look.
   */
  vitals?(): Promise<Vitals | undefined>;
}

/** What a process and its machine have used so far. Memory is in bytes. */
export interface Vitals {
  /** CPU time of the process. */
  readonly processMs: Milliseconds;
  readonly processMemory: number;
  readonly cpus: number;
  /** CPUs that the process may use, where a container has fewer than its machine. */
  readonly cpuLimit?: number;
  /** CPU time of the whole machine that was spent, and that could have been: of all CPUs together. */
  readonly busyMs: Milliseconds;
  readonly wholeMs: Milliseconds;
  /** Of the machine, or of the container that the process lives in. */
  readonly memory: number;
  readonly freeMemory: number;
}

/** The files that a runner writes, by what is in them. */
export const runnerFiles = { summary: 'summary.json', facts: 'facts.json', log: 'log', stdout: 'stdout' } as const;

/** What a runner left behind, as text; undefined where it did not come to write it. */
export interface RunnerFiles {
  readonly summary: string | undefined;
  readonly facts: string | undefined;
  readonly log: string;
  /** The folder that holds them now, on this machine. */
  readonly folder: string;
}

/** What every backend may use. */
export interface BackendContext {
  readonly spawn: Spawn;
  readonly clock: Clock;
}

/**
 * Where runners live. A new one is a file here and a line in index.ts: it starts k6 processes paused, says where their
 * REST API is, ends them, and brings back what they wrote.
 */
export interface Backend {
  /** Starts one runner, paused. Rejects with a LoadctlError when it cannot be started. */
  start(launch: RunnerLaunch): Promise<Runner>;
  /** How soon a runner that is gone is noticed, at the latest. */
  readonly noticeMs: Milliseconds;
}
