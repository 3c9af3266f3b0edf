import { shellQuote } from '../core/command.js';
import type { SeededSet } from '../core/events.js';
import { own } from '../core/own.js';

/** Sets as a profile writes them. */
type WrittenSets = Readonly<Record<string, unknown>>;

/** Where a profile says a value, and the value as `--set` reads it. */
type Overrides = ReadonlyMap<string, string>;

/** What to add to a command for a profile that is to know sets as they were seeded before: those of this record, and others that only had more rows. */
export function seededAgain(record: SeededSet, differing: readonly SeededSet[], now: WrittenSets): string {
  const wanted = overridesFor(record, now);
  if (wanted === undefined) return `with the set ${record.set} in the profile as it was seeded`;
  const all = new Map<string, string>();
  for (const other of differing.filter((each) => each !== record)) {
    const more = overridesFor(other, now);
    if (more !== undefined && [...more.keys()].every((path) => path.endsWith('.rows')))
      for (const [path, value] of more) all.set(path, value);
  }
  for (const [path, value] of wanted) all.set(path, value);
  return [...all].map(([path, value]) => `--set ${shellQuote(`${path}=${value}`)}`).join(' ');
}

/** The values in which a profile differs from a record; undefined where `--set` cannot say so. */
function overridesFor({ set: name, rows, sets }: SeededSet, now: WrittenSets): Overrides | undefined {
  const found = new Map<string, string>();
  for (const each of Object.keys(sets)) {
    const [before, after] = [recordOf(own(sets, each)), recordOf(own(now, each))];
    if (!Object.hasOwn(now, each)) {
      found.set(`seed.${each}`, JSON.stringify(each === name ? { ...before, rows } : before));
      continue;
    }
    const isSame = each === name ? { ...before, rows: Math.max(rows, Number(after.rows ?? 0)) } : before;
    if ('table' in before !== 'table' in after) return undefined;
    for (const word of new Set([...Object.keys(isSame), ...Object.keys(after)])) {
      const [was, is] = [own(isSame, word), own(after, word)];
      if (isEqual(was, is)) continue;
      if (word !== 'columns') found.set(`seed.${each}.${word}`, was === undefined ? 'null' : valueText(was));
      else if (!addColumns(found, `seed.${each}.columns`, recordOf(was), recordOf(is))) return undefined;
    }
  }
  return found;
}

/** Adds the columns that were otherwise; false where one is new, which `--set` cannot take out, or has a name that it cannot say. */
function addColumns(found: Map<string, string>, path: string, was: WrittenSets, is: WrittenSets): boolean {
  for (const column of new Set([...Object.keys(was), ...Object.keys(is)])) {
    if (isEqual(own(was, column), own(is, column))) continue;
    if (!Object.hasOwn(was, column) || column.includes('"')) return false;
    found.set(`${path}.${/^[\w-]+$/.test(column) ? column : `"${column}"`}`, valueText(was[column]));
  }
  return true;
}

/** A value as `--set` reads it: a text that YAML takes for one as it stands, else in quotes. */
function valueText(value: unknown): string {
  return typeof value === 'string' && /^[A-Za-z][\w@./-]*(\{[\w.+|-]+\}[\w@./-]*)+$/.test(value) ? value : JSON.stringify(value);
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function recordOf(value: unknown): WrittenSets {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
