import { join, relative } from 'node:path';
import { shellQuote } from '../../core/command.js';
import type { Emit, Moment } from '../../core/events.js';
import type { World } from '../../core/os.js';
import type { Redactor } from '../../core/redactor.js';
import type { Note } from '../../core/warnings.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { Access } from '../../plan/access.js';
import type { Plan } from '../../plan/plan.js';
import type { LoadTarget } from '../../plan/target.js';
import type { Profile } from '../../profile/sections/schema.js';
import type { RunRecord } from '../../runs/record.js';
import type { RunDirectory } from '../../runs/write.js';

/** The note that says how to take the test data out. */
export type CleanupAdvice = Extract<Note, { code: 'cleanup-advised' }>;

/** What a run is handed: the plan that it carries out, the slices of the world to do it with, and whom to tell. */
export interface RunContext {
  readonly plan: Plan;
  readonly access: Access;
  /** Where the load goes; behind colours it is known where load is made, and nowhere else. */
  readonly target: LoadTarget;
  readonly origin: Origin;
  readonly world: World;
  readonly emit: Emit;
  readonly moment: Moment;
  /** Writes every event of this command, from its first to its last, into the directory of its run. */
  readonly keepIn: (directory: RunDirectory) => void;
  /** Has the outputs read the fleet's numbers, once a second while these grow. */
  readonly watchNumbers: (numbers: LiveNumbers) => void;
  readonly redact: Redactor;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Aborted by the second one. */
  readonly killed: AbortSignal;
  /** loadctl's own version. */
  readonly version: string;
  /** Whether the user asked for no colours. */
  readonly noColor: boolean;
}

/** What every phase is handed. A run is its plan: only the phases on data read the profile. */
export interface PhaseContext extends RunContext {
  readonly profile: Profile;
}

/** Where a plan came from, for people: run.json keeps it. */
export interface Origin extends Pick<RunRecord, 'profile' | 'variables' | 'overrides'>, Required<Pick<RunRecord, 'limits'>> {
  /** The profile's file, absolute. */
  readonly file: string;
  /** Where each monitor is written in it, by its name: `profiles/dev.yaml:12`. */
  readonly monitorsAt: Readonly<Record<string, string>>;
}

/** What is left to do by hand after a load that ended early. */
export function cleanupAdvice(context: Pick<RunContext, 'origin' | 'plan' | 'world'>): CleanupAdvice {
  const { seed, cleanup } = context.plan;
  const hasData = seed.length > 0 || (cleanup?.entries.length ?? 0) > 0;
  return { code: 'cleanup-advised', command: cleanupCommand(context), hasData };
}

/** What to type to take this profile's test data out again. */
function cleanupCommand({ origin: { file }, plan, world }: Pick<RunContext, 'origin' | 'plan' | 'world'>): string {
  return `loadctl cleanup ${profileOption({ file, environment: plan.environment, cwd: world.cwd })}`;
}

/** How a command names a profile: by its environment, or by its file where that is not the usual one. */
export function profileOption({
  file,
  environment,
  cwd,
}: {
  readonly file: string;
  readonly environment: string;
  readonly cwd: string;
}): string {
  const usual = join(cwd, 'profiles', `${environment}.yaml`);
  return file === usual ? `--env ${environment}` : `--profile ${shellQuote(relative(cwd, file))}`;
}
