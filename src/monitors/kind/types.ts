import type { MonitorLook } from '../../core/monitors.js';
import type { Clock, Spawn } from '../../core/os.js';
import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import type { PlannedMonitor } from '../../plan/monitors.js';

/*
 * A monitor tells what servers do. To add a kind: its words in src/profile/sections/monitors.ts, its values in
 * src/metrics/servers/values.ts, a file here that exports an OpenMonitor, and its line in index.ts. Its driver is loaded when it
 * first looks.
 */

/** One connection to look over, and the servers behind it. */
export interface Probe {
  /** Whom its errors are about. */
  readonly source: string;
  /** Looks once: numbers of each source behind it. Connects where no connection is held; throws what keeps it from looking. */
  look(): Promise<readonly MonitorLook[]>;
  /** Where a source tells in periods, and late: what it knows by now of all that overlap a stretch of time, by the wall clock. */
  readonly ofStretch?: (stretch: { readonly from: EpochMs; readonly to: EpochMs }) => Promise<readonly MonitorLook[]>;
  /** Gives the connection up: the next look makes a new one. */
  drop(): void;
  /** What does not fit a number: what falls away for want of a right, what a share is taken of. Known after a look. */
  readonly remarks?: () => readonly string[];
}

/** What a monitor is opened with. */
export interface MonitorContext {
  /** What the server is told about the connection: `loadctl/<run>`. */
  readonly label: string;
  readonly clock: Clock;
  readonly spawn: Spawn;
  /** An ssh config instead of the user's own. */
  readonly sshConfig?: string | undefined;
  /** Whether the profile's guards let a host be reached that only a cluster itself names. */
  readonly allowsHost: (host: string) => boolean;
}

/** A monitor of one kind, as a run carries it out. */
export type MonitorOf<Kind extends PlannedMonitor['kind']> = Extract<PlannedMonitor, { readonly kind: Kind }>;

/** Makes the probes of a monitor; connects to nothing yet. */
export type OpenMonitor<Kind extends PlannedMonitor['kind']> = (monitor: MonitorOf<Kind>, context: MonitorContext) => readonly Probe[];

/** How often a monitor looks, and how long an answer may take. */
export interface Pace {
  readonly every: Milliseconds;
  readonly timeout: Milliseconds;
}
