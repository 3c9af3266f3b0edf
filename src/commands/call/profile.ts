import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import { shownPath } from '../../core/shown-path.js';
import { readScriptFiles } from '../../k6/script-files.js';
import { type Access, accessTo } from '../../plan/access.js';
import type { BackendFacts } from '../../plan/backend.js';
import { makePlan, type Plan } from '../../plan/plan.js';
import { environmentsIn, type ProfileSource } from '../../profile/find.js';
import { diskFiles, type LoadedProfile, type LoadOptions, loadProfile, type ProfileFiles } from '../../profile/load.js';
import { backendFacts } from '../../runners/index.js';
import { profileChoice } from './options.js';
import type { Call } from './types.js';

/** A profile with the plan that it makes, and the access that goes with it. */
export interface Planned {
  readonly loaded: LoadedProfile;
  readonly plan: Plan;
  readonly access: Access;
  readonly backend: BackendFacts;
  /** The profile's file, as shown. */
  readonly file: string;
  /** Where the script lies for whoever typed the command. */
  readonly script: string;
  /** Whether the user said in words which environment is meant. */
  readonly named: boolean;
}

/** A profile that is made up for one call, as if it were in a file. */
export interface MadeProfile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

/** The files of the disk, with others before them. */
export function filesWith(made: readonly MadeProfile[]): ProfileFiles {
  const textOf = (path: string) => made.find(({ file }) => file === path)?.text;
  return { ...diskFiles, readFile: (path) => textOf(path) ?? diskFiles.readFile(path) };
}

/** Loads the profile that a call means, hides its secrets, and plans. */
export async function planProfile(call: Call, secrets: LoadOptions['secrets'], fallback?: ProfileSource | MadeProfile): Promise<Planned> {
  const { cwd, env, home } = call.shell;
  const { source, set, scriptEnv } = profileChoice(call);
  const files = fallback !== undefined && 'text' in fallback ? filesWith([fallback]) : diskFiles;
  const loaded = loadProfile(source ?? fallback ?? onlyProfile(cwd), { cwd, home, env, files, secrets, set, scriptEnv });
  call.redact.hide(loaded.secrets, loaded.openWords);
  const backend = await backendFacts(loaded.profile.runners);
  const plan = makePlan({ ...loaded, backend }, readScriptFiles(loaded.profile.workload.script));
  return {
    loaded,
    plan,
    access: accessTo(loaded),
    backend,
    file: shownPath(loaded.file, cwd),
    script: plan.script,
    named: source !== undefined,
  };
}

/** The one environment there is; where there are several, saying which is the user's part. */
function onlyProfile(cwd: string): ProfileSource {
  const known = environmentsIn(join(cwd, 'profiles'), diskFiles);
  const [only] = known;
  if (only !== undefined && known.length === 1) return { environment: only };
  if (only === undefined) {
    throw new LoadctlError('usage', 'No profile found in profiles/.', {
      hint: 'Write a first one with `loadctl init`, or name a file with --profile FILE.',
    });
  }
  throw new LoadctlError('usage', `Which environment? profiles/ has ${known.join(', ')}.`, {
    hint: `Name it: --env ${known.includes('dev') ? 'dev' : only}`,
  });
}
