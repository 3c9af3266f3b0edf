import { LoadctlError } from '../../src/core/errors.js';
import { makePlan, type Plan, type PlanSources, type ScriptFile } from '../../src/plan/plan.js';
import { type LoadedProfile, type LoadOptions, loadProfile, type ProfileFiles, type ProfileSource } from '../../src/profile/load.js';

/** Files that exist only here, by absolute path. */
function filesOf(texts: Readonly<Record<string, string>>): ProfileFiles {
  return {
    readFile: (path) => texts[path],
    listFolder: (folder) =>
      Object.keys(texts).flatMap((path) => (path.slice(0, path.lastIndexOf('/')) === folder ? [path.slice(folder.length + 1)] : [])),
  };
}

/** The least that a profile needs. */
export const least = `target: {url: http://127.0.0.1:8080}
workload:
  script: k6.ts
`;

/** Loads /w/profiles/test.yaml from texts by name in /w/profiles; a script is there. */
export function load(
  texts: Readonly<Record<string, string>>,
  options: Partial<LoadOptions> & { elsewhere?: Readonly<Record<string, string>>; source?: ProfileSource } = {},
): LoadedProfile {
  const { elsewhere = {}, source = { environment: 'test' }, ...rest } = options;
  const inFolder = Object.fromEntries(
    Object.entries({ 'k6.ts': 'export default () => {}', ...texts }).map(([name, text]) => [`/w/profiles/${name}`, text]),
  );
  return loadProfile(source, { cwd: '/w', env: {}, files: filesOf({ ...inFolder, ...elsewhere }), secrets: 'required', ...rest });
}

/** The plan of a profile whose runners are no hosts of their own. */
export function planHere(loaded: Omit<PlanSources, 'backend'>, scriptFiles?: readonly ScriptFile[]): Plan {
  return makePlan({ ...loaded, backend: { hosts: [] } }, scriptFiles);
}

/** What is said about a profile that does not load. */
export function complaint(act: () => unknown): LoadctlError {
  try {
    act();
  } catch (error) {
    if (error instanceof LoadctlError) return error;
    throw error;
  }
  throw new Error('expected the profile not to load');
}
