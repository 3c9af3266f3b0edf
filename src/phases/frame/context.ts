import { join, relative } from 'node:path';
import { shellQuote } from '../../core/command.js';
import type { Emit } from '../../core/events.js';
import type { World } from '../../core/os.js';
import type { Redact } from '../../core/secrets.js';
import type { Note } from '../../core/warnings.js';
import type { Plan } from '../../plan/plan.js';
import type { LoadTarget } from '../../plan/target.js';
import type { LoadedProfile } from '../../profile/load.js';
import type { Profile } from '../../profile/sections/schema.js';
import type { RunDirectory } from '../../runs/write.js';

/** The note that says how to take the test data out. */
export type CleanupAdvice = Extract<Note, { code: 'cleanup-advised' }>;

/** What a phase is handed: what to do, the slices of the world to do it with, and whom to tell. */
export interface PhaseContext {
  readonly profile: Profile;
  readonly plan: Plan;
  /** Where the load goes; behind colours it is known where load is made, and nowhere else. */
  readonly target: LoadTarget;
  /** The profile with where its values came from. */
  readonly loaded: LoadedProfile;
  readonly world: World;
  readonly emit: Emit;
  /** Writes every event of this command, from its first to its last, into the directory of its run. */
  readonly keepIn: (directory: RunDirectory) => void;
  readonly redact: Redact;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Aborted by the second one. */
  readonly killed: AbortSignal;
  /** loadctl's own version. */
  readonly version: string;
}

/** What is left to do by hand after a load that ended early. */
export function cleanupAdvice(context: Pick<PhaseContext, 'loaded' | 'plan' | 'world'>): CleanupAdvice {
  const { seed, cleanup } = context.plan;
  return { code: 'cleanup-advised', command: cleanupCommand(context), hasData: seed.length > 0 || cleanup.length > 0 };
}

/** What to type to take this profile's test data out again. */
function cleanupCommand({ loaded, plan, world }: Pick<PhaseContext, 'loaded' | 'plan' | 'world'>): string {
  const usual = join(world.cwd, 'profiles', `${plan.environment}.yaml`);
  const which = loaded.file === usual ? `--env ${plan.environment}` : `--profile ${shellQuote(relative(world.cwd, loaded.file))}`;
  return `loadctl cleanup ${which}`;
}
