import type { RunId } from '../../core/ids.js';
import type { Occasion } from '../../core/outputs.js';
import type { EpochMs } from '../../core/quantities.js';

/** What a message is about: something that happened, or only whether it arrives. */
export type Subject = Occasion | 'test';

/** What people are told, the same whatever it is told through. Foreign text in it (names, limits) is as it came. */
export interface Message {
  readonly occasion: Subject;
  readonly environment: string;
  /** Missing for a cleanup of no run. */
  readonly run?: RunId;
  readonly at: EpochMs;
  /** By the command's own clock, in milliseconds: for what is counted. */
  readonly t: number;
  /** The whole of it in one sentence. */
  readonly title: string;
  /** Who, where, how much: each with its name. */
  readonly facts: readonly Fact[];
  /** Failed criteria first, then what else is to be said; never more than {@link mostLines}. */
  readonly lines: readonly string[];
  /** The limit that a breach or its end is about: the same for both. */
  readonly limit?: string;
  /** Where the result is, for who may follow it: the CI job's page. */
  readonly link?: string;
  /** The dashboard in Grafana, from the run's begin to its end. */
  readonly dashboard?: string;
}

/** Something to know, with what it is. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** More lines nobody reads in a chat; the rest is counted. */
export const mostLines = 20;

/** As many lines as a message holds; the last one says how many more there are. */
export function linesWithin(lines: readonly string[]): string[] {
  if (lines.length <= mostLines) return [...lines];
  return [...lines.slice(0, mostLines), `and ${lines.length - mostLines} more`];
}
