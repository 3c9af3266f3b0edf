import { formatDuration } from '../../core/quantities.js';
import { type ChartData, isNear, type SpanData } from '../result/chart-data.js';
import type { Column, Spread } from '../result/columns.js';
import { type Markup, markup } from '../result/markup.js';

/** A line of a chart. */
export interface Line {
  readonly measure: string;
  readonly label: string;
}

/** What a chart shows. */
export interface Chart {
  readonly title: string;
  readonly lines: readonly Line[];
  /** How many lines of the same figure stand in other drawings before it: each has a colour and dashes of its own. */
  readonly before: number;
  readonly columns: readonly Column[];
  /** A value as people read it. */
  readonly show: (value: number) => string;
  /** Drawn across it. */
  readonly limits: ChartData['limits'];
  /** Drawn behind it. */
  readonly spans: readonly SpanData[];
  /** Of a whole, which 100% is. */
  readonly isShare: boolean;
}

const width = 720;
const height = 170;
/** Where what is drawn begins and ends. */
const [left, right, top, foot] = [60, width - 4, 8, height - 20];

/** A drawing that needs no script, and what it says in words: each line with the band between its smallest and largest values. Nothing without values. */
export function drawn(asked: Chart): Markup | undefined {
  const { title, columns } = asked;
  const lines = asked.lines.filter(({ measure }) => columns.some(({ values }) => values[measure] !== undefined));
  const last = columns.at(-1);
  if (last === undefined || lines.length === 0) return undefined;
  const { limits, show, before } = asked;
  const label = `${title} over ${formatDuration(last.to)}. ${lines.map((line) => inWords(line, columns, show)).join(' ')}${limits.map(({ value }) => ` Limit ${show(value)}.`).join('')}`;
  return markup`<svg class="drawn" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${drawing({ ...asked, lines }, last.to)}</svg>
<p class="key faint">${lines.map((line, index) => key(`line s${nth(before + index)}`, inWords(line, columns, show)))}${limits.map(({ label, value }) => key('limit', label === 'limit' ? `limit ${show(value)}` : label))}</p>
`;
}

function drawing({ lines, before, columns, limits, spans, show, isShare }: Chart, end: number): Markup {
  const highest = Math.max(...lines.flatMap(({ measure }) => columns.map(({ values }) => values[measure]?.high ?? 0)));
  const near = limits.filter(({ value }) => isNear(value, highest, isShare));
  const most = Math.max(highest, ...near.map(({ value }) => value)) || 1;
  const x = (ms: number) => round(left + (ms / Math.max(1, end)) * (right - left));
  const y = (value: number) => round(top + (1 - value / (most * 1.05)) * (foot - top));
  const across = (name: string, value: number) =>
    markup`<line class="${name}" stroke="currentColor" x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/>`;
  return markup`${spans.map((span) => behind(span, x, end))}
${across('axis', 0)}${across('axis', most)}
<text x="${left - 6}" y="${y(most) + 4}" text-anchor="end">${show(most)}</text><text x="${left - 6}" y="${y(0)}" text-anchor="end">0</text>
<text x="${left}" y="${height - 5}">0s</text><text x="${right}" y="${height - 5}" text-anchor="end">${formatDuration(end)}</text>
${lines.map(({ measure }, index) => pathOf(columns, measure, nth(before + index), { x, y }))}${near.map(({ value }) => across('limit', value))}`;
}

/** What the lines of a chart without a drawing are. */
export function legend(lines: ChartData['lines']): Markup {
  return markup`<p class="key faint alone">${lines.map(({ label }, index) => key(`line s${nth(index)}`, label))}</p>\n`;
}

/** Where there is no style, it is grey. */
function behind({ kind, from, to, text }: SpanData, x: (ms: number) => number, end: number): Markup {
  const [begin, over] = [from, to].map((seconds) => x(Math.min(seconds * 1000, end))) as [number, number];
  const wide = kind === 'moment' ? 2 : Math.max(1, round(over - begin));
  return markup`<rect class="${kind}" fill="currentColor" fill-opacity="${kind === 'moment' ? 1 : 0.12}" x="${begin}" y="${top}" width="${wide}" height="${foot - top}"><title>${text}</title></rect>`;
}

/** Of six styles. */
function nth(index: number): number {
  return (index % 6) + 1;
}

function key(name: string, text: string): Markup {
  return markup`<span><svg viewBox="0 0 30 8" width="30" height="8" aria-hidden="true"><line class="${name}" x1="0" x2="30" y1="4" y2="4"/></svg> ${text}</span> `;
}

interface Scales {
  readonly x: (ms: number) => number;
  readonly y: (value: number) => number;
}

/** A gap is where nothing was measured. */
function pathOf(columns: readonly Column[], measure: Line['measure'], style: number, { x, y }: Scales): Markup {
  const points = columns.flatMap(({ from, to, values }) => {
    const spread = values[measure];
    return spread === undefined ? [] : [{ at: x((from + to) / 2), spread }];
  });
  const trace = (read: (spread: Spread) => number, of = points) => of.map(({ at, spread }) => `${at},${y(read(spread))}`).join(' ');
  const hasBand = points.some(({ spread }) => spread.high > spread.low);
  const back = points.toReversed();
  const band =
    hasBand &&
    markup`<polygon class="area a${style}" fill="currentColor" fill-opacity="0.2" points="${trace(({ high }) => high)} ${trace(({ low }) => low, back)}"/>`;
  return markup`${band || undefined}<polyline class="line s${style}" fill="none" stroke="currentColor" points="${trace(({ mean }) => mean)}"/>\n`;
}

function inWords({ measure, label }: Line, columns: readonly Column[], show: Chart['show']): string {
  const spreads = columns.flatMap(({ values }) => values[measure] ?? []);
  const [low, high] = [Math.min(...spreads.map((one) => one.low)), Math.max(...spreads.map((one) => one.high))].map(show);
  return low === high ? `${label} ${low}.` : `${label} ${low} to ${high}.`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
