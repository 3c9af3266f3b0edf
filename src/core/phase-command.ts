/** The commands that reach servers, and that a conductor can carry out. */
export const phaseCommands = ['seed', 'run', 'cleanup', 'test'] as const;

/** One of {@link phaseCommands}. */
export type PhaseCommandName = (typeof phaseCommands)[number];

/** What such a command is asked for besides its plan; each knows its own. */
export interface PhaseOptions {
  /** cleanup, test: seeded rows are to go, too. */
  readonly seeded?: boolean;
  /** cleanup: it only counts. */
  readonly dryRun?: boolean;
  /** seed: first remove seeded rows that were changed. */
  readonly reset?: boolean;
  /** run: another loadctl holds the lock in the databases. */
  readonly lockElsewhere?: boolean;
}
