import { trimNumber } from '../core/quantities.js';
import { type Change, type ChangeWord, leastEarlier } from '../metrics/compare/compare.js';
import { formatValue } from '../metrics/limit-text.js';
import type { Paint } from './paint.js';
import { counted } from './sentences/words.js';
import { type Column, renderTable, type TableStyle } from './table.js';
import { wrapLines } from './wrap.js';

/** What a comparison says, as far as it is shown. */
export interface ShownComparison {
  readonly changes: readonly Change[];
  readonly later: readonly { readonly run: string }[];
  readonly earlier: readonly { readonly run: string }[];
  readonly circumstances: readonly { readonly name: string; readonly before: readonly string[]; readonly after: readonly string[] }[];
}

const columns: readonly Column[] = [
  { title: 'number' },
  { title: 'before', align: 'right' },
  { title: 'after', align: 'right' },
  { title: 'change', align: 'right' },
  { title: 'between' },
  { title: 'word' },
];

/** A comparison as tables: what has a limit first, then what has none, then what that can tell. */
export function renderComparison(shown: ShownComparison, style: TableStyle): string {
  const [gated, others] = [shown.changes.filter((one) => one.gated), shown.changes.filter((one) => !one.gated)];
  const table = (changes: readonly Change[]) =>
    renderTable(
      columns,
      changes.map((one) => cells(one, style.paint)),
      style,
    );
  const parts = [
    headLines(shown, style),
    gated.length === 0 ? [] : ['', ...table(gated)],
    others.length === 0 ? [] : ['', style.paint.faint('  without a limit: shown, not judged'), ...table(others)],
    ['', ...wrapLines(notes(shown), style.width)],
  ];
  return `${parts.flat().join('\n')}\n`;
}

/** The same as JSON. */
export function comparisonData({ later, earlier, changes, circumstances }: ShownComparison) {
  const ids = (runs: ShownComparison['later']) => runs.map(({ run }) => run);
  return { word: overallWord(changes), runs: ids(later), with: ids(earlier), changes, circumstances };
}

function headLines({ later, earlier, changes }: ShownComparison, { paint, width }: TableStyle): string[] {
  const word = paintWord(overallWord(changes), paint);
  const sides = `${named(later)} with ${earlier.length === 0 ? 'nothing' : named(earlier)}`;
  return wrapLines([`${word.toUpperCase()}  ${sides}`], width);
}

function named(runs: readonly { readonly run: string }[]): string {
  const [only] = runs;
  return runs.length === 1 && only !== undefined ? `run ${only.run}` : counted(runs.length, 'run');
}

/** What the numbers with a limit say together; of those without one where none has one. */
function overallWord(changes: readonly Change[]): ChangeWord {
  const gated = changes.filter((one) => one.gated);
  const words = (gated.length > 0 ? gated : changes).map(({ word }) => word);
  if (words.includes('worse') && gated.length > 0) return 'worse';
  if (words.length === 0 || words.includes('cannot tell') || words.includes('worse')) return 'cannot tell';
  return words.includes('better') ? 'better' : 'same';
}

function cells({ name, unit, before, after, change, low, high, word }: Change, paint: Paint): string[] {
  return [
    name,
    formatValue(before, unit),
    formatValue(after, unit),
    change === undefined ? '' : signed(change),
    low === undefined || high === undefined ? '' : `${signed(low)} and ${signed(high)}`,
    paintWord(word, paint),
  ];
}

function paintWord(word: ChangeWord, { good, bad, warn }: Paint): string {
  return { worse: bad, better: good, same: good, 'cannot tell': warn }[word](word);
}

function signed(share: number): string {
  const text = percent(share);
  return share > 0 && text !== '0%' ? `+${text}` : text.replace('-0%', '0%');
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${trimNumber(share * 100, 1)}%` : '∞';
}

function notes({ changes, earlier, circumstances }: ShownComparison): string[] {
  return [...noiseNotes(changes, earlier.length), ...circumstances.map(differs)];
}

function noiseNotes(changes: readonly Change[], earlier: number): string[] {
  if (earlier === 0) return ['  No earlier run of this load to compare with. `loadctl compare --save FILE` keeps this one for later.'];
  if (earlier < leastEarlier)
    return [
      `  ${counted(earlier, 'earlier run')} cannot say how much runs differ by themselves: ${leastEarlier} can, 5 or more are better.`,
    ];
  return changes.flatMap(({ name, noise, least, gated }) =>
    noise === undefined || least === undefined || !(gated || name === 'p95')
      ? []
      : [`  ${name}: runs differ by ${percent(noise)} by themselves; a change below ${percent(least)} cannot be told from that.`],
  );
}

function differs({ name, before, after }: ShownComparison['circumstances'][number]): string {
  return `  differs: ${name}: ${before.join(', ')} before, ${after.join(', ')} after`;
}
