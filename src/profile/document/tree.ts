import type { Place } from './place.js';

/** What a `${NAME}` in a scalar became. */
export interface Substitution {
  readonly name: string;
  readonly from: string;
  readonly value: string;
}

/** A value of a document together with the place it was written at. */
export type Tree = ScalarTree | MapTree | ListTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** A number as it was written (`1.10`); undefined for all else. */
  readonly written?: string;
  readonly place: Place;
  /** The variables that are in it, in order. */
  readonly substitutions?: readonly Substitution[];
}

export interface MapTree {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly place: Place;
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly place: Place;
}

/** A key of a map, and what it holds. */
export interface Entry {
  readonly key: Place;
  readonly node: Tree;
}

/** Keys and list indexes from the root. */
export type Path = readonly (string | number)[];

/** Lays one document over another: maps deeply, everything else replaces; null takes out, but where it is a value. */
export function merge(base: Tree | undefined, over: Tree, path: Path = []): Tree {
  if (over.kind !== 'map') return over;
  const entries = new Map(base?.kind === 'map' ? base.entries : []);
  for (const [name, entry] of over.entries) {
    const { key, node } = entry;
    if (node.kind === 'scalar' && node.value === null && !nullIsValue([...path, name])) entries.delete(name);
    else entries.set(name, { key, node: merge(entries.get(name)?.node, node, [...path, name]) });
  }
  return { kind: 'map', entries, place: over.place };
}

/** Whether null at a path is a value like any other: in what a seeded row or entry holds, and where it removes something later on: a scenario of the script, a part of a pod spec. */
export function nullIsValue(path: Path): boolean {
  const [section, , word, ...rest] = path;
  if (section === 'seed') return (word === 'columns' || word === 'value') && rest.length > 0;
  if (path.length > 4 && path.slice(0, 3).join('.') === 'runners.kubernetes.patch') return true;
  return path.length === 4 && path.slice(0, 3).join('.') === 'workload.options.scenarios';
}

/** The node at a path; undefined where there is none. */
export function nodeAt(tree: Tree, path: Path): Tree | undefined {
  return path.reduce<Tree | undefined>((node, step) => childOf(node, step), tree);
}

/** The key token of the map entry at a path; undefined for a list item or where there is none. */
export function keyAt(tree: Tree, path: Path): Place | undefined {
  const last = path.at(-1);
  const parent = nodeAt(tree, path.slice(0, -1));
  return parent?.kind === 'map' && last !== undefined ? parent.entries.get(String(last))?.key : undefined;
}

/** Replaces every scalar. */
export function mapScalars(tree: Tree, change: (scalar: ScalarTree, path: Path) => Tree, path: Path = []): Tree {
  if (tree.kind === 'scalar') return change(tree, path);
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item, index) => mapScalars(item, change, [...path, index])) };
  const entries = [...tree.entries].map(
    ([name, entry]) => [name, { key: entry.key, node: mapScalars(entry.node, change, [...path, name]) }] as const,
  );
  return { ...tree, entries: new Map(entries) };
}

/** All scalars with their paths. */
export function scalarsOf(tree: Tree, path: Path = []): { scalar: ScalarTree; path: Path }[] {
  if (tree.kind === 'scalar') return [{ scalar: tree, path }];
  if (tree.kind === 'list') return tree.items.flatMap((item, index) => scalarsOf(item, [...path, index]));
  return [...tree.entries].flatMap(([name, entry]) => scalarsOf(entry.node, [...path, name]));
}

/** The document as plain data; `show` may change what a scalar is shown as. */
export function plain(tree: Tree, show: (scalar: ScalarTree, path: Path) => unknown = ({ value }) => value, path: Path = []): unknown {
  if (tree.kind === 'scalar') return show(tree, path);
  if (tree.kind === 'list') return tree.items.map((item, index) => plain(item, show, [...path, index]));
  return Object.fromEntries([...tree.entries].map(([name, entry]) => [name, plain(entry.node, show, [...path, name])]));
}

function childOf(node: Tree | undefined, step: string | number): Tree | undefined {
  if (node?.kind === 'map') return node.entries.get(String(step))?.node;
  return node?.kind === 'list' ? node.items[Number(step)] : undefined;
}
