import { changedNumbers } from './changed-numbers.js';
import type { Problem } from './document/problem.js';
import { keyAt, nodeAt, type Path, plain, type Tree } from './document/tree.js';
import { beginning, blamed, explainAll } from './explain.js';
import { brokenRules } from './rules/index.js';
import { oldWords } from './rules/old-words.js';
import { valueAt } from './rules/types.js';
import { type Profile, profileSchema } from './sections/schema.js';

/** A checked document: its profile where nothing is wrong, and all that is wrong. */
export interface CheckedTree {
  readonly profile: Profile | undefined;
  readonly problems: readonly Problem[];
}

/** Checks a document against the schema and the rules; what is wrong in one place does not hide what is in another. */
export function check(tree: Tree): CheckedTree {
  const data = plain(tree, (scalar, path) =>
    path[0] === 'workload' && path[1] === 'env' ? (scalar.written ?? scalar.value) : scalar.value,
  );
  const result = profileSchema.safeParse(data);
  const issues = result.success ? [] : result.error.issues;
  const profile = result.success ? result.data : soundSections(data, issues.flatMap(blamed));
  const explained = explainAll(issues, tree);
  const broken = brokenRules({ profile, data }).filter(({ lacks = [] }) => !lacks.some((path) => isThere(path, data, explained.suggested)));
  const old = oldWords(data);
  const inOldWords = (path: Path) => old.some(({ path: [section] }) => section === path[0]);
  const problems = [
    ...explained.problems.filter(({ section }) => !inOldWords([section])),
    ...changedNumbers(tree),
    ...[...old, ...broken.filter(({ path }) => !inOldWords(path))].map(({ path, on, message }) => ({
      place: placeOf(tree, path, on),
      message,
    })),
  ];
  return { profile: result.success && problems.length === 0 ? result.data : undefined, problems };
}

/** Whether something stands at a path, if only broken or under a misspelled key; an empty list or map is nothing. */
function isThere(path: Path, data: unknown, suggested: ReadonlySet<string>): boolean {
  const way = path.map((_, index) => path.slice(0, index + 1));
  if (way.some((part) => suggested.has(part.join('.')) || isSingle(valueAt(data, ...part)))) return true;
  const value = valueAt(data, ...path);
  const empty = value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return !empty;
}

function isSingle(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'object';
}

/** The sections that pass by themselves once what is to blame is taken out of them: as little as does. */
function soundSections(data: unknown, blamed: readonly Path[]): Partial<Profile> {
  const little = blamed.reduce((rest, path) => without(rest, path, false), data);
  const much = blamed.reduce((rest, path) => without(rest, path, true), data);
  const sound = Object.entries(profileSchema.shape).flatMap(([name, schema]) => {
    const results = [little, much].map((rest) => schema.safeParse(valueAt(rest, name)));
    const result = results.find(({ success }) => success);
    return result?.data === undefined ? [] : [[name, result.data]];
  });
  return Object.fromEntries(sound) as Partial<Profile>;
}

/** Data without what stands at a path; indexes do not shift, so an item of a list may take the list with it. */
function without(data: unknown, path: Path, wholeLists: boolean): unknown {
  const [head, ...rest] = path;
  if (typeof data !== 'object' || data === null || head === undefined) return undefined;
  if (Array.isArray(data)) {
    if (wholeLists || rest.length === 0) return undefined;
    return data.map((item, index) => (index === head ? without(item, rest, wholeLists) : item));
  }
  const { [head]: value, ...others } = data as Record<string, unknown>;
  const kept = rest.length === 0 || value === undefined ? undefined : without(value, rest, wholeLists);
  return kept === undefined ? others : { ...others, [head]: kept };
}

function placeOf(tree: Tree, path: Path, on: 'key' | undefined): Problem['place'] {
  const node = nodeAt(tree, path);
  if (on === undefined && node) return beginning(node);
  for (let length = path.length; length > 0; length--) {
    const key = keyAt(tree, path.slice(0, length));
    if (key) return key;
  }
  return beginning(tree);
}
