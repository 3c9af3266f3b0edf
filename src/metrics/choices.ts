import { formatCount, type Share, trimNumber } from '../core/quantities.js';
import { chiSquareTail } from './chi-square.js';
import { findMetric } from './metric-key.js';
import type { Summary } from './summary.js';

/** What a script draws at random, by the counter in which it says what it drew, and the shares that it was asked for. */
export interface Choice {
  /** A Counter of the script. */
  readonly counter: string;
  /** Its tag that names what was drawn. */
  readonly tag: string;
  readonly shares: Readonly<Record<string, Share>>;
}

/** Chance alone gives such a mix less often than this. */
const significance = 0.001;
/** A share may be off by so much, however certain that is. */
const tolerance: Share = 0.005;

/** The sub-metric that counts one of the things drawn. */
function choiceKey({ counter, tag }: Choice, drawn: string): string {
  return `${counter}{${tag}:${drawn}}`;
}

/** Thresholds that always hold, and bring the sub-metrics of these choices into being. */
export function choiceThresholds(choices: readonly Choice[]): Record<string, string[]> {
  const keys = choices.flatMap((choice) => Object.keys(choice.shares).map((drawn) => choiceKey(choice, drawn)));
  return Object.fromEntries(keys.map((key) => [key, ['count>=0']]));
}

/** The choices that were drawn off their mix: significantly by a chi-square test, and one of them by more than half a point. */
export function choiceFaults(choices: readonly Choice[], { metrics }: Summary): string[] {
  return choices.flatMap((choice) => {
    const total = metrics[choice.counter]?.values.count ?? 0;
    const counted = Object.entries(choice.shares).map(([name, share]) => {
      const count = findMetric(metrics, choiceKey(choice, name))?.values.count ?? 0;
      return { name, share, count };
    });
    return total === 0 ? [] : (faultOf(choice, total, counted) ?? []);
  });
}

interface Counted {
  readonly name: string;
  readonly share: Share;
  readonly count: number;
}

function faultOf({ counter, tag }: Choice, total: number, named: readonly Counted[]): string | undefined {
  const rest = total - named.reduce((sum, { count }) => sum + count, 0);
  const counted = rest > 0 ? [...named, { name: 'others', share: 0, count: rest }] : named;
  const distance = ({ share, count }: Counted) => Math.abs(count / total - share);
  const worst = counted.reduce((a, b) => (distance(b) > distance(a) ? b : a));
  if (distance(worst) <= tolerance || chiSquareTail(statistic(counted, total), counted.length - 1) >= significance) return undefined;
  const [drawn, asked] = [percent(worst.count / total), percent(worst.share)];
  return (
    `The script drew ${tag} ${worst.name} for ${drawn} of ${formatCount(total)} ${counter}, the profile asks for ${asked}: ` +
    `this is not the load that was planned. Fix how the script draws its choices.`
  );
}

function statistic(counted: readonly Counted[], total: number): number {
  const terms = counted.map(({ share, count }) => (share > 0 ? (count - share * total) ** 2 / (share * total) : count > 0 ? Infinity : 0));
  return terms.reduce((sum, term) => sum + term, 0);
}

function percent(share: Share): string {
  return `${trimNumber(share * 100, 1)}%`;
}
