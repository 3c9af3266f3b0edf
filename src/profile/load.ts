import type { LimitPlace } from '../core/criterion.js';
import { redacted, redactor } from '../core/secrets.js';
import { shownPath } from '../core/shown-path.js';
import { isBeside, readChain } from './chain.js';
import { check } from './check.js';
import { withDefaults } from './defaults.js';
import { locate } from './document/place.js';
import { invalidProfile, type Problem } from './document/problem.js';
import { keyAt, merge, nodeAt, type Path, scalarsOf, type Tree } from './document/tree.js';
import type { ProfileFiles } from './files.js';
import { findProfile, type ProfileSource } from './find.js';
import { limitPlaces } from './limit-places.js';
import { applyScriptVariable, applySet, type Override } from './overrides.js';
import { missingScript, type Places, resolvePaths, withoutPlaces } from './paths.js';
import { hideSecrets, isSecretPath, openWords, scriptVariableValues, secretValues, withoutSecrets } from './secret-values.js';
import type { Profile } from './sections/schema.js';
import { variableSources } from './variable-sources.js';
import { missingIn, substitute, type Variable, whereVariablesAre } from './variables.js';

export { diskFiles, type ProfileFiles } from './files.js';
export type { ProfileSource } from './find.js';

/** What a profile is loaded with. */
export interface LoadOptions extends Places {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: ProfileFiles;
  /**
   * `optional`: a variable that nobody has stays a `${NAME}` and counts as missing (a plan needs no secrets). `here`: so does one
   * that a Secret of the cluster may answer (runners.kubernetes.variables), where the run is carried out.
   */
  readonly secrets: 'required' | 'optional' | 'here';
  /** `--set a.b=value`, in the order given. */
  readonly set?: readonly string[];
  /** `-e KEY=VALUE`, in the order given. */
  readonly scriptEnv?: readonly string[];
}

/** A checked profile and where it came from. */
export interface LoadedProfile {
  readonly profile: Profile;
  /** The profile's file, absolute. */
  readonly file: string;
  /** That file and all that it extends, absolute. */
  readonly files: readonly string[];
  /** `--set` and `-e`, secrets taken out. */
  readonly overrides: readonly Override[];
  readonly variables: readonly Variable[];
  /** What was found of them here, secrets with it: for another loadctl that is to read the same profile. */
  readonly variableValues: Readonly<Record<string, string>>;
  /** Every secret value, for the redactor. */
  readonly secrets: readonly string[];
  /** What anybody may read in it: a secret may be spelled like one of them. */
  readonly openWords: readonly string[];
  /** The profile without its secrets: where a text holds one, it says `[redacted]`. */
  readonly shown: Profile;
  /** The effective profile in people's words, defaults included, secrets replaced: for run.json. */
  readonly redacted: unknown;
  /** The same on every machine, as a plan's hash covers it: without the places of the working directory and the home. */
  readonly portable: unknown;
  /** What `workload.env` holds, but for what comes out of secrets: for the plan's hash, and for nothing that is shown. */
  readonly scriptVariables: Readonly<Record<string, string>>;
  /** The names of `K6_…` variables that were given with `-e`: as with k6's own `-e`, only the script sees them. */
  readonly scriptOnly: readonly string[];
  /** Where each monitor is written, by its name: `profiles/dev.yaml:12`. */
  readonly monitorsAt: Readonly<Record<string, string>>;
  /** Where each limit of `sla`, then of `critical`, is stated; null for those that `--set` states. */
  readonly limits: readonly (LimitPlace | null)[];
}

/**
 * Reads a profile: what it extends, `--set`, variables, `-e`, defaults. Throws one LoadctlError that shows every
 * problem with its line.
 */
export function loadProfile(source: ProfileSource, options: LoadOptions): LoadedProfile {
  const { cwd, files } = options;
  const found = findProfile(source, cwd, files);
  const chain = readChain(found.file, cwd, files);
  const name = shownPath(found.file, cwd);
  if (!chain.sound) throw invalidProfile(name, chain.problems, secretValues(chain.tree));

  const set = layOver(chain.tree, options.set ?? [], applySet);
  const named = nameEnvironment(set.tree, found.environment);
  const sources = variableSources({ ...options, environment: named.environment, profile: found.file });
  const isAnswered = nodeAt(named.tree, ['runners', 'kubernetes', 'variables']) !== undefined;
  const required = options.secrets === 'required' || (options.secrets === 'here' && !isAnswered);
  const filled = substitute(named.tree, sources, required);
  const fed = layOver(filled.tree, options.scriptEnv ?? [], (tree, argument) => applyScriptVariable(tree, argument, options.env));
  const tree = resolvePaths(fed.tree, cwd);
  const checked = check(tree);

  const early = [...chain.problems, ...set.problems, ...(filled.variables.length > 0 ? sources.problems : []), ...filled.problems];
  const late = [...checked.problems, ...missingScript(tree, cwd, files)].filter(
    (problem) => !isCovered(problem, chain.problems, filled.problems),
  );
  const secrets = secretValues(tree);
  const problems = [...early, ...late];
  if (!checked.profile || problems.length > 0)
    throw invalidProfile(name, problems, secrets, areUnset(problems, tree) ? whereVariablesAre(sources) : undefined);
  return {
    profile: checked.profile,
    file: found.file,
    files: chain.files,
    overrides: [...set.overrides, ...fed.overrides].map(({ path, value }) => ({ path, value: redactor(secrets)(value) })),
    variables: filled.variables,
    variableValues: filled.values,
    secrets,
    openWords: openWords(fed.tree),
    shown: hideSecrets(checked.profile, fed.tree),
    redacted: withDefaults(withoutSecrets(fed.tree)),
    portable: withDefaults(withoutSecrets(withoutPlaces(fed.tree, options))),
    scriptVariables: scriptVariableValues(fed.tree),
    scriptOnly: [...new Set(fed.overrides.map(({ path }) => path.split('.').slice(2).join('.')))].filter((name) => name.startsWith('K6_')),
    monitorsAt: Object.fromEntries(Object.keys(checked.profile.monitors).map((name) => [name, placeText(fed.tree, ['monitors', name])])),
    limits: limitPlaces(tree),
  };
}

/** The file and line of a key; of an argument of the command line, that. */
function placeText(tree: Tree, path: Path): string {
  const at = keyAt(tree, path) ?? tree.place;
  return at.source.path === undefined ? at.source.name : `${at.source.name}:${locate(at).line}`;
}

/** Lays arguments of the command line over a document, one after another. */
function layOver(start: Tree, args: readonly string[], apply: (tree: Tree, argument: string) => ReturnType<typeof applySet>) {
  const problems: Problem[] = [];
  const overrides: Override[] = [];
  let tree = start;
  for (const argument of args) {
    const laid = apply(tree, argument);
    tree = laid.tree;
    problems.push(...laid.problems);
    overrides.push({ path: laid.path.join('.'), value: isSecretPath(laid.path) ? redacted : laid.value });
  }
  return { tree, problems, overrides };
}

/** The environment's name; the file's where the profile does not say. */
function nameEnvironment(tree: Tree, fallback: string): { tree: Tree; environment: string } {
  const node = nodeAt(tree, ['environment']);
  if (node) return { tree, environment: node.kind === 'scalar' ? String(node.value) : fallback };
  const { place } = tree;
  const name: Tree = { kind: 'scalar', value: fallback, place };
  const named: Tree = { kind: 'map', entries: new Map([['environment', { key: place, node: name }]]), place };
  return { tree: merge(named, tree), environment: fallback };
}

/** Whether a problem is one of a variable that nobody has. */
function areUnset(problems: readonly Problem[], tree: Tree): boolean {
  const unset = scalarsOf(tree).flatMap(({ scalar }) => (missingIn(scalar) === undefined ? [] : [scalar.place]));
  return problems.some(({ place }) =>
    unset.some(({ source, start, end }) => source === place.source && start < place.end && place.start < end),
  );
}

/** Whether a problem only follows from another one: on a line that YAML could not read, or of a variable that is missing. */
function isCovered(problem: Problem, unread: readonly Problem[], unset: readonly Problem[]): boolean {
  const inside = unset.some(
    ({ place }) => place.source === problem.place.source && place.start >= problem.place.start && place.end <= problem.place.end,
  );
  return inside || isBeside(problem, unread);
}
