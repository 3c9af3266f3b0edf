import { trimNumber, type Unit } from '../../core/quantities.js';
import { formatValue } from '../../metrics/limit-text.js';
import type { ChartData, SpanData } from '../result/chart-data.js';
import { type Column, fewer } from '../result/columns.js';
import { type Markup, markup } from '../result/markup.js';
import { percentileNames } from '../result/seconds.js';
import { drawn, legend } from './chart.js';
import { linesOf, type Shown } from './plot.js';
import { spanText } from './spans.js';
import { details, figures, table } from './table.js';

/** A part of the page with charts, and what a script draws in them. */
export interface Charted {
  readonly section: Markup | undefined;
  readonly charts: readonly ChartData[];
}

/** A figure: a drawing, what it shows in words and as a table, and what a script draws in its place. */
export interface Figure {
  readonly data: ChartData;
  readonly drawing?: Markup | undefined;
  readonly table: Markup | undefined;
}

const drawnColumns = 240;
const tableRows = 30;

/** A figure over time. */
export interface Asked {
  readonly id: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly spans: readonly SpanData[];
}

/** What a chart over time begins with. */
export function overTime(id: string, title: string): Pick<ChartData, 'id' | 'title' | 'over'> {
  return { id, title, over: 'time' };
}

/** A figure of lines over time; those of another unit are drawn by themselves where there is no script. */
export function figure({ id, title, columns, spans }: Asked, shown: readonly Shown[], limits: ChartData['limits'] = []): Figure {
  const small = fewer(columns, drawnColumns, percentileNames);
  const parts = [shown.filter(({ isBeside }) => !isBeside), shown.filter(({ isBeside }) => isBeside)].filter((lines) => lines.length > 0);
  const drawings = parts.map((lines, index) => {
    const show = (value: number) => plainValue(value, lines[0]?.unit ?? '');
    const before = parts.slice(0, index).flat().length;
    return drawn({ title, lines, before, columns: small, show, limits: index === 0 ? limits : [], spans, isShare: lines[0]?.unit === '%' });
  });
  const few = fewer(columns, tableRows, percentileNames);
  const titles = [figures('time'), ...shown.map(({ label }) => figures(label))];
  const rows = few.map(({ from, to, values }) => [
    spanText(from, to),
    ...shown.map(({ measure, unit }) => spreadText(values[measure], unit)),
  ]);
  return {
    data: { ...overTime(id, title), ...linesOf(columns, shown), limits },
    drawing: markup`${drawings}`,
    table: table(`${title}: smallest to largest value of each stretch`, titles, rows),
  };
}

/** Whether there is something to draw. */
export function hasValues({ lines }: ChartData): boolean {
  return lines.some(({ values }) => values.some((value) => value !== null));
}

/** A figure on the page. The script draws where `data-chart` is. */
export function figureMarkup({ data: { id, title, limits, lines }, drawing = legend(lines), table: rows }: Figure): Markup {
  const named = limits.map(({ label }) => label).join(', ');
  return markup`<figure data-chart="${id}" aria-labelledby="title-${id}"><figcaption id="title-${id}">${title}${named === '' ? undefined : markup` <span class="faint">(${named})</span>`}</figcaption>
${drawing}${details(`${title}, as a table`, rows)}</figure>
`;
}

function spreadText(spread: { readonly low: number; readonly high: number } | undefined, unit: Unit): string {
  if (spread === undefined) return '–';
  const [low, high] = [spread.low, spread.high].map((value) => plainValue(value, unit));
  return low === high ? `${low}` : `${low} – ${high}`;
}

function plainValue(value: number, unit: Unit): string {
  return unit === '' ? trimNumber(value, value < 10 ? 2 : 0) : formatValue(value, unit);
}
