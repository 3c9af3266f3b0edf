import { basename, dirname, resolve } from 'node:path';
import { shownPath } from '../core/shown-path.js';
import { locate, type Source } from './document/place.js';
import type { Problem } from './document/problem.js';
import { type MapTree, merge, type Tree } from './document/tree.js';
import { parseYaml } from './document/yaml-tree.js';
import { nearFile, type ProfileFiles } from './files.js';

/** A profile laid over all that it extends. */
export interface Chain {
  readonly tree: Tree;
  /** The files that are in it, the profile itself first. */
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
  /** Whether every file could be read as YAML, but for single lines. */
  readonly sound: boolean;
}

/** Reads a profile and everything it extends. */
export function readChain(file: string, cwd: string, files: ProfileFiles, below: readonly string[] = []): Chain {
  const source: Source = { name: shownPath(file, cwd), path: file, text: files.readFile(file) ?? '' };
  const parsed = parseYaml(source);
  const alone = { files: [file], problems: parsed.problems, sound: parsed.sound };
  if (parsed.tree.kind !== 'map') {
    const problem = { place: parsed.tree.place, message: 'expected a profile: keys such as `target:` and `workload:`' };
    return {
      ...alone,
      tree: emptyMap(parsed.tree),
      problems: parsed.sound ? [...parsed.problems, problem] : parsed.problems,
      sound: false,
    };
  }
  const { tree, parent } = takeExtends(parsed.tree);
  if (!parent) return { ...alone, tree: merge(undefined, tree) };
  const wrong = extendsProblem(parent, { file, cwd, files, below: [...below, file] });
  if (wrong) return { ...alone, tree: merge(undefined, tree), problems: [...parsed.problems, wrong], sound: false };
  const base = readChain(baseFile(parent, file), cwd, files, [...below, file]);
  return {
    tree: merge(base.tree, tree),
    files: [file, ...base.files],
    problems: [...parsed.problems, ...base.problems],
    sound: parsed.sound && base.sound,
  };
}

/** Whether a problem stands on the same line as one of these. */
export function isBeside(problem: Problem, others: readonly Problem[]): boolean {
  const { line } = locate(problem.place);
  return others.some(({ place }) => place.source === problem.place.source && locate(place).line === line);
}

/** Removes what is not a key of a profile: `extends`, and keys such as `x-defaults`, which only hold anchors. */
function takeExtends(tree: MapTree): { tree: MapTree; parent: Tree | undefined } {
  const entry = tree.entries.get('extends');
  const entries = [...tree.entries].filter(([name]) => name !== 'extends' && !name.startsWith('x-'));
  const empty = entry?.node.kind === 'scalar' && entry.node.value === null;
  return { tree: { ...tree, entries: new Map(entries) }, parent: empty ? undefined : entry?.node };
}

function baseFile(parent: Tree, file: string): string {
  return resolve(dirname(file), parent.kind === 'scalar' ? String(parent.value) : '');
}

interface Context {
  readonly file: string;
  readonly cwd: string;
  readonly files: ProfileFiles;
  readonly below: readonly string[];
}

function extendsProblem(parent: Tree, { file, cwd, files, below }: Context): Problem | undefined {
  const { place } = parent;
  if (parent.kind !== 'scalar' || typeof parent.value !== 'string')
    return { place, message: 'expected the path of one profile such as `base.yaml`' };
  const base = baseFile(parent, file);
  if (below.includes(base)) {
    const circle = [...below.slice(below.indexOf(base)), base].map((each) => basename(each)).join(' → ');
    return { place, message: `expected a profile that does not extend this one: ${circle}` };
  }
  if (files.readFile(base) !== undefined) return undefined;
  const near = nearFile(base, files);
  return { place, message: `${shownPath(base, cwd)} does not exist${near === undefined ? '' : `; did you mean \`${near}\`?`}` };
}

function emptyMap(tree: Tree): MapTree {
  return { kind: 'map', entries: new Map(), place: tree.place };
}
