import type { Share } from '../../core/quantities.js';
import type { RunNumber, RunNumbers, Scale } from './numbers.js';
import { studentQuantile, studentTail } from './student.js';

/** What can be said of a number: it changed for the worse or the better by enough, it did not, or nobody can tell. */
export type ChangeWord = 'worse' | 'better' | 'same' | 'cannot tell';

/** One number of the new runs beside the earlier ones. Shares are of the earlier value: 0.1 is 10% more. */
export interface Change {
  readonly name: string;
  readonly unit: RunNumber['unit'];
  readonly gated: boolean;
  /** Means over the runs of each side, on the scale that the number varies on. */
  readonly before: number;
  readonly after: number;
  /** Undefined where it was 0 before. */
  readonly change?: number;
  /** What the change certainly lies in but for one case in twenty; missing where too few runs say how much they differ. */
  readonly low?: number;
  readonly high?: number;
  /** Where too few runs say how much they differ: how far either may be off by what happens within a run, at least; shares of them. */
  readonly within?: { readonly before: Share; readonly after: Share };
  /** How much runs differ by themselves: one standard deviation, as a share; of events in events. */
  readonly noise?: number;
  /** The smallest change that can be told from noise. */
  readonly least?: number;
  readonly word: ChangeWord;
}

/** How often a change may be seen that is none: over all gated numbers together. */
const falseAlarms = 0.05;

/** Earlier runs from which on it is known how much runs differ. */
export const leastEarlier = 3;

/**
 * Compares whole runs, since what differs from run to run is more than what differs within one (Laaber et al., EMSE 24(4), 2019): Student's
 * t on the logarithms, for counts of rare events on Anscombe's scale; widened by the bounds of the merge. Over the gated numbers Holm's
 * method keeps the chance of any false `worse` at one in twenty. `matters` is the share from which on a change matters.
 */
export function compareRuns(later: readonly RunNumbers[], earlier: readonly RunNumbers[], matters: number): Change[] {
  const pairs = namesOf(later).flatMap((name) => pairOf(name, later, earlier) ?? []);
  const gated = holm(pairs.filter(({ first }) => first.gated));
  return pairs.map((pair) => changeOf(pair, gated.get(pair) ?? falseAlarms, matters));
}

/** A number with a limit of which nothing is said: no earlier run has it, or it is 0 or below in a run, where changes are no shares. */
export interface Uncompared {
  readonly name: string;
  readonly why: 'not-before' | 'not-above-zero';
}

/** The gated numbers of the new runs that {@link compareRuns} leaves out; none where there is nothing to compare with. */
export function uncompared(later: readonly RunNumbers[], earlier: readonly RunNumbers[]): Uncompared[] {
  if (earlier.length === 0) return [];
  return namesOf(later).flatMap((name): Uncompared[] => {
    const [after, before] = sidesOf(name, later, earlier);
    if (after[0]?.gated !== true) return [];
    if (before.length === 0) return [{ name, why: 'not-before' }];
    return isOffScale(after, before) ? [{ name, why: 'not-above-zero' }] : [];
  });
}

function namesOf([first]: readonly RunNumbers[]): string[] {
  return [...new Set(first?.numbers.map(({ name }) => name))];
}

/** A number on both sides, on the scale of its test; upwards is worse. */
interface Pair {
  readonly first: RunNumber;
  readonly later: readonly RunNumber[];
  readonly earlier: readonly RunNumber[];
  readonly difference: number;
  /** What the merge leaves open, on either side of the difference. */
  readonly open: number;
  /** Of the difference; undefined where too few runs tell. */
  readonly error?: number;
  readonly deviation?: number;
  readonly degrees: number;
}

function pairOf(name: string, later: readonly RunNumbers[], earlier: readonly RunNumbers[]): Pair | undefined {
  const [after, before] = sidesOf(name, later, earlier);
  const first = after[0];
  if (first === undefined || before.length === 0 || isOffScale(after, before)) return undefined;
  const size = meanOf([...after, ...before].map(({ of = 1 }) => of));
  const [x, y] = [after, before].map((side) => side.map((one) => placeOf(one, first, size)));
  if (x === undefined || y === undefined) return undefined;
  const pair = {
    first,
    later: after,
    earlier: before,
    difference: meanOf(x.map(({ at }) => at)) - meanOf(y.map(({ at }) => at)),
    open: meanOf(x.map(({ half }) => half)) + meanOf(y.map(({ half }) => half)),
    degrees: x.length + y.length - 2,
  };
  if (before.length < leastEarlier) return pair;
  const squares = [x, y].map((side) => squaresOf(side.map(({ at }) => at)));
  const measured = Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / pair.degrees);
  const spread = Math.sqrt(1 / x.length + 1 / y.length);
  const error = Math.max(measured * spread, first.scale === 'events' ? chanceOf([after, before], size) : 0);
  return { ...pair, deviation: error / spread, error };
}

/** The number of this name in each run of either side, in the unit of the new runs: of a run that has it twice the first. */
function sidesOf(name: string, later: readonly RunNumbers[], earlier: readonly RunNumbers[]): [RunNumber[], RunNumber[]] {
  const inRun = (run: RunNumbers | undefined) => run?.numbers.find((one) => one.name === name);
  const first = inRun(later[0]);
  const inAll = (runs: readonly RunNumbers[]) =>
    runs.flatMap((run) => inRun(run) ?? []).filter(({ unit, scale }) => unit === first?.unit && scale === first.scale);
  return [inAll(later), inAll(earlier)];
}

/** Whether there is a number that has no logarithm. */
function isOffScale(after: readonly RunNumber[], before: readonly RunNumber[]): boolean {
  return [...after, ...before].some(({ scale, value }) => scale === 'ratio' && value <= 0);
}

/** What chance alone makes of the difference of rare events: by 1 in a run of `size` requests, by more in one of fewer. */
function chanceOf(sides: readonly (readonly RunNumber[])[], size: number): number {
  return Math.sqrt(sides.reduce((sum, side) => sum + meanOf(side.map(({ of = 1 }) => size / of)) / side.length, 0));
}

/** Where a number stands on its scale, upwards worse by what the new run says, and how far its bounds reach. */
function placeOf(one: RunNumber, { worse }: RunNumber, size: number): { at: number; half: number } {
  const scaled = (value: number) => (one.scale === 'ratio' ? Math.log(value) : 2 * Math.sqrt(value * size + 3 / 8));
  const sign = worse === 'higher' ? 1 : -1;
  const at = scaled(one.value);
  const reach = [one.low, one.high].map((bound) =>
    bound === undefined || (one.scale === 'ratio' && bound <= 0) ? 0 : Math.abs(scaled(bound) - at),
  );
  return { at: sign * at, half: Math.max(...reach) };
}

/** Holm's method: the level at which each of these is judged; after the first that is not significant all stay at its level. */
function holm(pairs: readonly Pair[]): Map<Pair, number> {
  const ordered = pairs.map((pair) => ({ pair, p: probabilityOf(pair) })).sort((a, b) => a.p - b.p);
  const levels = new Map<Pair, number>();
  let rank = 0;
  for (const { pair, p } of ordered) {
    const level = falseAlarms / (ordered.length - rank);
    levels.set(pair, level);
    if (p <= level) rank += 1;
  }
  return levels;
}

/** Of a difference so large in its direction, by chance alone. */
function probabilityOf({ difference, open, error, degrees }: Pair): number {
  if (error === undefined) return 1;
  const certain = Math.max(0, Math.abs(difference) - open);
  if (error === 0) return certain > 0 ? 0 : 1;
  return studentTail(certain / error, degrees);
}

function changeOf(pair: Pair, level: number, matters: number): Change {
  const { first, later, earlier, difference, open, error, deviation, degrees } = pair;
  const [after, before] = [later, earlier].map((side) => centreOf(side, first.scale));
  const told = {
    name: first.name,
    unit: first.unit,
    gated: first.gated,
    before: before ?? 0,
    after: after ?? 0,
    ...shareOf(before, after),
  };
  if (error === undefined || deviation === undefined) return { ...told, ...withinOf(earlier, later), word: 'cannot tell' };
  const half = error * studentQuantile(level, degrees) + open;
  const ends = [difference - half, difference + half];
  const size = meanOf([...later, ...earlier].map(({ of = 1 }) => of));
  const shares = ends.map((end) => changeAt(end, pair, size)).sort((a, b) => a - b);
  // Where nothing ever failed, nothing changed that anybody saw.
  const word = told.before === 0 && told.after === 0 ? 'same' : wordOf(ends, shares, told.change, matters);
  if (first.scale === 'events') return { ...told, noise: deviation, word };
  return {
    ...told,
    low: shares[0] ?? 0,
    high: shares[1] ?? 0,
    noise: Math.expm1(deviation),
    least: Math.expm1(half),
    word,
  };
}

/** The largest of each side; undefined where a run does not say. */
function withinOf(earlier: readonly RunNumber[], later: readonly RunNumber[]): Pick<Change, 'within'> {
  const [before, after] = [earlier, later].map((side) => Math.max(...side.map(({ within = Number.NaN }) => within)));
  if (before === undefined || after === undefined || Number.isNaN(before) || Number.isNaN(after)) return {};
  return { within: { before, after } };
}

/** `ends` are those of the difference, upwards worse, and `share` of them as shares of what was before. */
function wordOf([low, high]: readonly number[], shares: readonly number[], change: number | undefined, matters: number): ChangeWord {
  const isLarge = change === undefined || Math.abs(change) >= matters;
  if ((low ?? 0) > 0 && isLarge) return 'worse';
  if ((high ?? 0) < 0 && isLarge) return 'better';
  return shares.every((share) => Math.abs(share) <= matters) ? 'same' : 'cannot tell';
}

/** A difference on the test's scale as a share of what was before. */
function changeAt(end: number, { first, earlier }: Pair, size: number): number {
  if (first.scale === 'ratio') return Math.expm1(first.worse === 'higher' ? end : -end);
  const before = centreOf(earlier, 'events') * size;
  const events = Math.max(0, ((2 * Math.sqrt(before + 3 / 8) + end) / 2) ** 2 - 3 / 8);
  return before === 0 ? (events < 1 ? 0 : Number.POSITIVE_INFINITY) : events / before - 1;
}

function shareOf(before: number | undefined, after: number | undefined): { change?: number } {
  if (before === undefined || after === undefined || (before === 0 && after !== 0)) return {};
  return { change: before === 0 ? 0 : after / before - 1 };
}

/** The geometric mean of numbers that vary by a share of themselves; of events all together. */
function centreOf(side: readonly RunNumber[], scale: Scale): number {
  if (scale === 'ratio') return Math.exp(meanOf(side.map(({ value }) => Math.log(value))));
  const requests = side.reduce((sum, { of = 1 }) => sum + of, 0);
  return side.reduce((sum, { value, of = 1 }) => sum + value * of, 0) / requests;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function squaresOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
