import { trimNumber } from '../core/quantities.js';
import { type Change, type ChangeWord, leastEarlier, type Uncompared } from '../metrics/compare/compare.js';
import { formatValue } from '../metrics/limit-text.js';
import { noPaint, type Paint } from './paint.js';
import { counted } from './sentences/words.js';
import { type Column, renderTable, type TableStyle } from './table.js';
import { wrapLines } from './wrap.js';

/** What a comparison says, as far as it is shown. */
export interface ShownComparison {
  readonly changes: readonly Change[];
  readonly uncompared: readonly Uncompared[];
  readonly passedOver: number;
  readonly later: readonly { readonly run: string; readonly limitsBeside?: readonly string[] }[];
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

/** The titles of {@link comparisonRows}. */
export const comparisonTitles: readonly string[] = columns.map(({ title }) => title);

/** The same table without its colours: what has a limit first. */
export function comparisonRows({ changes }: Pick<ShownComparison, 'changes'>): string[][] {
  return [...changes.filter((one) => one.gated), ...changes.filter((one) => !one.gated)].map((one) => cells(one, noPaint));
}

/** What is compared with what, and what that came to: `WORSE  run R with 4 runs`. */
export function comparisonHead(shown: ShownComparison): string {
  return `${overallWord(shown).toUpperCase()}  ${sidesOf(shown)}`;
}

/** What a comparison says beside its table, a sentence each. */
export function comparisonNotes(shown: ShownComparison): string[] {
  return notes(shown).map((note) => note.trim());
}

/** One change as a sentence: `p95: 32.77 ms before, 43.45 ms after, +32.6% (+24.6% and +41.1%): worse`. */
export function changeText({ name, unit, before, after, change, low, high, word }: Change): string {
  const by = change === undefined ? '' : `, ${signed(change)}`;
  const between = low === undefined || high === undefined ? '' : ` (between ${signed(low)} and ${signed(high)})`;
  return `${name}: ${formatValue(before, unit)} before, ${formatValue(after, unit)} after${by}${between}: ${word}`;
}

/** The same as JSON. */
export function comparisonData(shown: ShownComparison) {
  const { later, earlier, changes, circumstances } = shown;
  const ids = (runs: readonly { readonly run: string }[]) => runs.map(({ run }) => run);
  return {
    word: overallWord(shown),
    runs: ids(later),
    with: ids(earlier),
    changes,
    uncompared: [...shown.uncompared, ...besides(shown).map((name) => ({ name, why: 'no-scale' as const }))],
    passedOver: shown.passedOver,
    circumstances,
  };
}

/** The limits for what no comparison is made of. */
function besides({ later }: ShownComparison): readonly string[] {
  return later[0]?.limitsBeside ?? [];
}

function headLines(shown: ShownComparison, { paint, width }: TableStyle): string[] {
  const word = paintWord(overallWord(shown), paint);
  return wrapLines([`${word.toUpperCase()}  ${sidesOf(shown)}`], width);
}

function sidesOf({ later, earlier }: ShownComparison): string {
  return `${named(later)} with ${earlier.length === 0 ? 'nothing' : named(earlier)}`;
}

function named(runs: readonly { readonly run: string }[]): string {
  const [only] = runs;
  return runs.length === 1 && only !== undefined ? `run ${only.run}` : counted(runs.length, 'run');
}

/** What the numbers with a limit say together; of those without one where none has one. */
function overallWord({ changes, uncompared }: ShownComparison): ChangeWord {
  const gated = changes.filter((one) => one.gated);
  const words = (gated.length > 0 ? gated : changes).map(({ word }) => word);
  if (words.includes('worse') && gated.length > 0) return 'worse';
  const isOpen = words.length === 0 || words.includes('cannot tell') || words.includes('worse');
  if (isOpen || uncompared.length > 0) return 'cannot tell';
  return words.includes('better') ? 'better' : 'same';
}

function cells({ name, unit, before, after, change, low, high, within, word }: Change, paint: Paint): string[] {
  return [
    name,
    formatValue(before, unit) + give(within?.before),
    formatValue(after, unit) + give(within?.after),
    change === undefined ? '' : signed(change),
    low === undefined || high === undefined ? '' : `${signed(low)} and ${signed(high)}`,
    paintWord(word, paint),
  ];
}

function give(within: number | undefined): string {
  return within === undefined ? '' : ` ± ${percent(within)}`;
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

function notes(shown: ShownComparison): string[] {
  return [...noiseNotes(shown), ...uncomparedNotes(shown), ...shown.circumstances.map(differs)];
}

function noiseNotes({ changes, earlier, passedOver }: ShownComparison): string[] {
  if (earlier.length === 0 && passedOver > 0)
    return [`  ${counted(passedOver, 'run')} there, and none of this load: --anyway compares with them.`];
  if (earlier.length === 0)
    return ['  No earlier run of this load to compare with. `loadctl compare --save FILE` keeps this one for later.'];
  if (earlier.length < leastEarlier)
    return [
      `  ${counted(earlier.length, 'earlier run')} cannot say how much runs differ by themselves: ${leastEarlier} can, 5 or more are better.`,
      ...(changes.some(({ within }) => within !== undefined) ? ['  ±: at least so far a run may be off by what happens within it.'] : []),
    ];
  return changes.flatMap((one) => (one.gated || one.name === 'p95' ? noiseNote(one) : []));
}

function noiseNote({ name, noise, least }: Change): string[] {
  if (noise === undefined || least === undefined) return [];
  if (noise === 0) return [`  ${name}: the same to the last digit in all runs of a side: any change is one.`];
  return [`  ${name}: runs differ by ${percent(noise)} by themselves; a change below ${percent(least)} cannot be distinguished from that.`];
}

function uncomparedNotes(shown: ShownComparison): string[] {
  const why = { 'not-before': 'no earlier run has it', 'not-above-zero': 'it is 0 or below in a run' } as const;
  const beside = besides(shown);
  return [
    ...shown.uncompared.map((one) => `  not compared: ${one.name}: ${why[one.why]}.`),
    ...(beside.length === 0 || shown.earlier.length === 0 ? [] : [`  has a limit and is not compared: ${beside.join(', ')}.`]),
  ];
}

function differs({ name, before, after }: ShownComparison['circumstances'][number]): string {
  return `  differs: ${name}: ${before.join(', ')} before, ${after.join(', ')} after`;
}
