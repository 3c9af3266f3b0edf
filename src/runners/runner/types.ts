import type { Duplex } from 'node:stream';
import type { Command } from '../../core/command.js';
import type { RunnerId } from '../../core/ids.js';
import type { ProcessEnd, World } from '../../core/os.js';
import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import type { Redactor } from '../../core/redactor.js';
import type { HostShare } from '../../k6/go-runtime.js';
import type { LogDigest } from '../../k6/log-digest.js';
import type { RunnerApi } from '../../k6/rest.js';
import type { HostFacts as HostMeans, Needs } from '../../plan/capacity.js';
import type { Profile } from '../../profile/sections/schema.js';

/** The files that every runner of a fleet reads, by where they lie. */
export interface RunnerInputs {
  readonly k6: string;
  readonly configFile: string;
  readonly archive: string;
}

/** Where a runner lives, as its command has to know it. */
export interface RunnerPlace {
  /** host:port for its REST API. */
  readonly address: string;
  /** Where it writes its numbers. */
  readonly folder: string;
  readonly inputs: RunnerInputs;
  /** The port of its own loopback that leads to {@link RunnerLaunch.reachable}. */
  readonly reachablePort: number;
  readonly share: HostShare;
}

/** What a runner has to reach: a port of this machine's loopback. */
export interface Reachable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Takes a connection that came another way, as if it had come by the port. */
  readonly take: (connection: Duplex) => void;
}

/** How to start one runner, wherever it lives. */
export interface RunnerLaunch {
  readonly id: RunnerId;
  /** The k6 command for a runner that lives there. */
  command(place: RunnerPlace): Command;
  /** The files that it reads, as they lie on this machine; `archiveSha256` (hex) is what the archive must be wherever it is read. */
  readonly inputs: RunnerInputs & { readonly archiveSha256: string };
  /** Names of files that k6's own outputs write there. */
  readonly ownFiles: readonly string[];
  readonly reachable: Reachable;
  /** The runner's own folder in the run directory: what it wrote ends up there, without secrets. */
  readonly folder: string;
}

/** How a process is asked to end: by SIGTERM, or by SIGKILL. */
export type HowToEnd = 'gracefully' | 'hard';

/** One k6 process of the fleet. */
export interface Runner {
  readonly id: RunnerId;
  readonly host: string;
  /** What its host is able to do; missing where that is this machine. */
  readonly hostFacts?: HostFacts;
  /** The id of its process on its host, where it is known. */
  pid(): Promise<number | undefined>;
  readonly api: RunnerApi;
  /** Resolves when the process is gone; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Aborted when the process is gone. */
  readonly gone: AbortSignal;
  /**
   * Asks the process to end (k6 then writes its numbers), or ends it. Each is done once, and nothing after `hard`: a second
   * signal would be the end of a k6 that is writing.
   */
  end(how: HowToEnd): void;
  /** What it was asked to do last. */
  asked(): HowToEnd | undefined;
  /** After its end: brings the numbers that it wrote into its folder. Never rejects. */
  collect(): Promise<RunnerFiles>;
  /** After that: brings its log, and reads it. Never rejects. */
  readLog(): Promise<RunnerLog>;
  /**
   * What its process and its machine have used so far; undefined where that cannot be read. Never rejects. Missing where
   * the backend cannot look.
   */
  vitals?(): Promise<Vitals | undefined>;
  /** The same of its process alone; missing where that takes more than a moment (another host, `ps`). Never rejects. */
  glance?(): Promise<ProcessLook | undefined>;
  /**
   * What its host's wall clock said when loadctl's elapsed() stood at 0: what the host noted by its own clock is put in
   * order by it. Another answer later on: that clock was set meanwhile. Undefined where it cannot be asked.
   */
  clockOrigin(): Promise<EpochMs | undefined>;
}

/** What a process has done so far, and does. */
export interface ProcessLook {
  /** CPU time of the process. */
  readonly processMs: Milliseconds;
  /** What the process is doing, by the letter that proc(5) and ps(1) have for it: R runs, S sleeps, D waits for a disk, T stands still. */
  readonly processState: string;
}

/** What a process and its machine have used so far. Memory is in bytes. */
export interface Vitals extends ProcessLook {
  readonly processMemory: number;
  readonly cpus: number;
  /** CPUs that the process may use, where a container has fewer than its machine. */
  readonly cpuLimit?: number;
  /** How long the limit of its container kept it off CPUs so far. */
  readonly throttledMs?: Milliseconds;
  /** CPU time of the whole machine that was spent, and that could have been: of all CPUs together. */
  readonly busyMs: Milliseconds;
  readonly wholeMs: Milliseconds;
  /** Of the machine, or of the container that the process lives in. */
  readonly memory: number;
  readonly freeMemory: number;
}

/** The files that are kept of a runner, by what is in them; without secrets. */
export const runnerFiles = { summary: 'summary.json', facts: 'facts.json', log: 'log' } as const;

/** What a runner measured, as it wrote it; undefined where it did not come to write it. */
export interface RunnerNumberTexts {
  readonly summary: string | undefined;
  readonly facts: string | undefined;
}

/** Where that is. */
export interface RunnerFiles {
  /** Reads it, anew each time: of many runners it is too much to be held. Never rejects. */
  readonly read: () => Promise<RunnerNumberTexts>;
  /** The folder that holds them now, on this machine. */
  readonly folder: string;
  /** What could not be brought or kept, and why. */
  readonly troubles: readonly string[];
}

/** What a runner said. */
export interface RunnerLog {
  readonly digest: LogDigest;
  /** Bytes between its beginning and its end that nobody kept; undefined where some are gone and nobody counted. */
  readonly leftOut: number | undefined;
  /** What could not be brought or kept, and why. */
  readonly troubles: readonly string[];
}

/** What a host that makes load has, as far as it tells, and what it is. */
export interface HostFacts extends HostMeans {
  readonly k6Version: string;
  /** As `uname -sm` says it: `Linux x86_64`. */
  readonly platform: string;
  /** What its container was made from, by the kubelet. */
  readonly imageId?: string;
  /** How far its wall clock is ahead of this machine's. */
  readonly clockOffsetMs: Milliseconds;
}

/** What every backend may use. */
export interface BackendContext extends Pick<World, 'spawn' | 'execute' | 'clock' | 'env' | 'home' | 'privateFolder'> {
  readonly profile: Profile['runners'];
  /** Aborted when nothing should be started any more. */
  readonly signal: AbortSignal;
  /** Takes secrets out of what is kept of runners. */
  readonly redact: Redactor;
  readonly expected: Expected;
}

/** What is known of a test before its runners start. */
export interface Expected {
  /** The most that a runner has to carry. */
  readonly needs: Pick<Needs, 'cpus' | 'memoryBytes'>;
  /** How long runners may be needed at most, from the moment they are asked for. */
  readonly lifeMs: Milliseconds;
}

/**
 * Where runners live: what has to be known of that beforehand, and the way there. A new one is a folder beside these whose
 * index.ts exports it as `backend`, and a line in index.ts here.
 */
export interface Backend {
  /** Runners are processes of this machine: what they may take of it can be known before they start. */
  readonly isHere: boolean;
  /** How soon a runner that is gone is noticed, at the latest. */
  readonly noticeMs: Milliseconds;
  /** How often each of so many runners pushes what it measured. */
  pushEveryMs(runners: number): Milliseconds;
  /** The machines that runners are dealt to in turn, as ssh writes them; none where the backend finds each runner a place. */
  hostsOf(profile: Profile['runners']): readonly string[];
  open(context: BackendContext): OpenBackend;
}

/** A backend at work: it starts k6 processes paused, says where their REST API is, ends them, and brings back what they wrote. */
export interface OpenBackend {
  /** Starts one runner, paused. Rejects with a LoadctlError when it cannot be started. */
  start(launch: RunnerLaunch): Promise<Runner>;
  /** Lets go of all that it holds besides the runners, wherever it is. */
  close(): Promise<void>;
}
