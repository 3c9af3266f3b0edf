import type { EpochMs } from './quantities.js';

declare const kind: unique symbol;

/** A text that is the id of one kind of thing only; while the program runs it is a string like any other. */
type Id<Kind extends string> = string & { readonly [kind]: Kind };

/** A run's id and the name of its directory. Sortable by time: `20261123-195601-k3x9q`. */
export type RunId = Id<'run'>;

/** A runner's id in its run: `1`, `2`, … */
export type RunnerId = Id<'runner'>;

/** The id of a run that begins now: unique enough for ids that are made from it. */
export function makeRunId(now: EpochMs, random: () => number = Math.random): RunId {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const suffix = Array.from({ length: 5 }, () => Math.floor(random() * 36).toString(36)).join('');
  return `${stamp}-${suffix}` as RunId;
}

/** Takes what was read from a directory for the id of a run; undefined for what names no directory. */
export function asRunId(read: unknown): RunId | undefined {
  return typeof read === 'string' && /^[^/\0]+$/.test(read) && !/^\.\.?$/.test(read) ? (read as RunId) : undefined;
}

/** The id of a runner by its number, from 1 on. */
export function runnerId(number: number): RunnerId {
  return String(number) as RunnerId;
}
