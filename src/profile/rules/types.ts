import type { Path } from '../document/tree.js';
import type { Profile } from '../sections/schema.js';

/** What the rules are held against: the sections that are sound by themselves, and the document as it stands. */
export interface Checked {
  readonly profile: Partial<Profile>;
  /** The document as plain data, for names that a broken section still has. */
  readonly data: unknown;
}

/** Two words of a profile that do not go together. */
export interface Broken {
  readonly path: Path;
  /** Which token is to blame; the value where it is missing. */
  readonly on?: 'key';
  readonly message: string;
  /** What must be missing for this to hold: not what is there and merely broken or misspelled. */
  readonly lacks?: readonly Path[];
}

/** One thing that several words of a profile must be together. */
export type Rule = (checked: Checked) => Broken[];

/** The plain value under some keys; undefined where there is none. */
export function valueAt(data: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined),
    data,
  );
}

/** The keys of a plain map under some keys. */
export function keysOf(data: unknown, ...path: readonly (string | number)[]): string[] {
  const value = valueAt(data, ...path);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

/** The items of a plain list under some keys. */
export function itemsOf(data: unknown, ...path: readonly (string | number)[]): unknown[] {
  const value = valueAt(data, ...path);
  return Array.isArray(value) ? value : [];
}
