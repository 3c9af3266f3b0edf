import type { SummaryCheck, SummaryGroup } from './summary.js';

/** k6's root group before anything was added to it. */
const emptyRoot: SummaryGroup = { name: '', path: '', id: 'd41d8cd98f00b204e9800998ecf8427e', groups: [], checks: [] };

/**
 * The runners' groups as one: groups and checks of the same path are the same, their counts add up. They keep the order
 * of the script as far as the runners agree on it, else the earliest place counts, then the name.
 */
export function mergeGroups(roots: readonly SummaryGroup[]): SummaryGroup {
  const [first] = roots;
  return first === undefined ? emptyRoot : mergeSame(first, roots);
}

function mergeSame(first: SummaryGroup, same: readonly SummaryGroup[]): SummaryGroup {
  const { name, path, id } = first;
  const groups = byPath(same.map((group) => group.groups)).map(([head, ...rest]) => mergeSame(head, [head, ...rest]));
  const checks = byPath(same.map((group) => group.checks)).map(([head, ...rest]) => mergeChecks(head, rest));
  return { name, path, id, groups, checks };
}

function mergeChecks(first: SummaryCheck, rest: readonly SummaryCheck[]): SummaryCheck {
  const { name, path, id } = first;
  const all = [first, ...rest];
  return {
    name,
    path,
    id,
    passes: all.reduce((sum, check) => sum + check.passes, 0),
    fails: all.reduce((sum, check) => sum + check.fails, 0),
  };
}

type Filled<T> = [T, ...T[]];

function byPath<T extends { readonly path: string }>(lists: readonly (readonly T[])[]): readonly Filled<T>[] {
  const places = new Map<string, { place: number; items: Filled<T> }>();
  for (const list of lists) {
    for (const [place, item] of list.entries()) {
      const entry = places.get(item.path);
      if (entry === undefined) places.set(item.path, { place, items: [item] });
      else {
        entry.items.push(item);
        entry.place = Math.min(entry.place, place);
      }
    }
  }
  const sorted = [...places].sort(([pathA, a], [pathB, b]) => a.place - b.place || (pathA < pathB ? -1 : 1));
  return sorted.map(([, { items }]) => items);
}
