import { dirname, resolve } from 'node:path';
import { shownPath } from '../core/shown-path.js';
import type { Problem } from './document/problem.js';
import { mapScalars, nodeAt, type Path, type ScalarTree, type Tree } from './document/tree.js';
import { nearFile, type ProfileFiles } from './files.js';
import { hasPlaceholder } from './words/words.js';

/** The document with its paths absolute: each is relative to the file that says it, or to the working directory. */
export function resolvePaths(tree: Tree, cwd: string): Tree {
  return mapScalars(tree, (scalar, path) =>
    isFilePath(scalar, path) ? { ...scalar, value: resolve(folderOf(scalar, cwd), String(scalar.value)) } : scalar,
  );
}

/** Folders that are another one on another machine, or for another user. */
export interface Places {
  readonly cwd: string;
  readonly home?: string | undefined;
}

/**
 * The document with what is written absolutely, and lies in the working directory or the user's home, named from there: the
 * same on every machine. Only for files, and for the command that tells the live colour.
 */
export function withoutPlaces(tree: Tree, { cwd, home }: Places): Tree {
  const portable = (text: string) => nameFrom(home, 'home', nameFrom(cwd, 'project', text));
  return mapScalars(tree, (scalar, path) =>
    isFilePath(scalar, path) || path.join('.') === 'target.live.command'
      ? { ...scalar, value: portable(String(scalar.value)) }
      : here(scalar, path),
  );
}

/** With a mark that is never typed, so that no two files share a name. */
function nameFrom(folder: string | undefined, mark: string, text: string): string {
  if (folder === undefined || !/^\/./s.test(folder)) return text;
  const from = folder.replace(/\/+$/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\w./~-])${from}(?=/|$)`, 'g'), `\0${mark}`);
}

/** A script that is not there. `tree` has absolute paths. */
export function missingScript(tree: Tree, cwd: string, files: ProfileFiles): Problem[] {
  const script = nodeAt(tree, ['workload', 'script']);
  if (script?.kind !== 'scalar' || typeof script.value !== 'string' || hasPlaceholder(script.value)) return [];
  if (files.readFile(script.value) !== undefined) return [];
  const near = nearFile(script.value, files);
  const message = `script ${shownPath(script.value, cwd)} does not exist${near === undefined ? '' : `; did you mean \`${near}\`?`}`;
  return [{ place: script.place, message }];
}

/** What a machine calls a cluster is no part of a plan. */
function here(scalar: ScalarTree, path: Path): ScalarTree {
  return path.join('.') === 'runners.kubernetes.context' ? { ...scalar, value: '' } : scalar;
}

function isFilePath({ value }: ScalarTree, path: Path): boolean {
  if (typeof value !== 'string' || value === '') return false;
  const [section, name, ...rest] = path;
  if (section === 'workload') return name === 'script' && rest.length === 0;
  if (section === 'runners') return (name === 'k6' && value.includes('/')) || name === 'sshConfig';
  return section === 'stores' && ['tls.ca', 'tls.certificate', 'tls.key'].includes(rest.join('.'));
}

function folderOf({ place }: ScalarTree, cwd: string): string {
  return place.source.path === undefined ? cwd : dirname(place.source.path);
}
