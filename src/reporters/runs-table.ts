import type { RunId } from '../core/ids.js';
import { formatCount, formatDuration, type Milliseconds, trimNumber } from '../core/quantities.js';
import { type Column, linesWidth, longestCell, renderTable, type TableStyle } from './table.js';
import { shorten } from './width.js';
import { wrapLines } from './wrap.js';

/** One run of a folder, at a glance. */
export interface ListedRun {
  readonly run: RunId;
  readonly environment: string;
  readonly state: 'running' | 'passed' | 'failed' | 'invalid' | 'interrupted' | 'damaged';
  /** ISO 8601; missing where it is not known. */
  readonly startedAt?: string;
  /** How long the load lasted, or lasts by now. */
  readonly durationMs?: Milliseconds;
  readonly vus?: number;
  /** Of all requests in the judged window, in milliseconds. */
  readonly p95?: Milliseconds;
  /** The first of its verdict's reasons, unless it passed. */
  readonly why?: string;
}

const columns: readonly Column[] = [
  { title: 'run' },
  { title: 'env' },
  { title: 'started' },
  { title: 'took', align: 'right' },
  { title: 'VUs', align: 'right' },
  { title: 'p95', align: 'right' },
  { title: 'state' },
];

/** Runs as a table. Why one did not pass stands below it on a screen, and at the end of its line elsewhere. */
export function renderRuns(runs: readonly ListedRun[], style: TableStyle): string[] {
  const { width, paint } = style;
  const rows = runs.map(cells);
  if (width === undefined) {
    return renderTable(
      [...columns, { title: 'why' }],
      rows.map((row, at) => [...row, runs[at]?.why ?? '']),
      style,
    );
  }
  // Of all cells, an environment's name can best be cut: an id is for pasting.
  const excess = linesWidth(renderTable(columns, rows, { paint })) - width;
  const room = Math.max(4, ...rows.map(([, environment = '']) => environment.length)) - Math.max(0, excess);
  const [titles = '', ...lines] = renderTable(
    columns,
    rows.map(([run = '', environment = '', ...rest]) => [run, shorten(environment, Math.max(4, room)), ...rest]),
    { paint },
  );
  return [titles, ...lines.flatMap((line, at) => [line, ...reasonLines(runs[at]?.why, style)])];
}

function cells({ run, environment, state, startedAt, durationMs, vus, p95 }: ListedRun): string[] {
  return [
    run,
    environment,
    startedAt === undefined ? '' : localTime(new Date(startedAt)),
    durationMs === undefined ? '' : formatDuration(durationMs),
    vus === undefined ? '' : formatCount(vus),
    p95 === undefined ? '' : `${p95 >= 100 ? formatCount(p95) : trimNumber(p95, p95 >= 10 ? 1 : 2)} ms`,
    state,
  ];
}

/** `11-28 13:30`, by the clock of whoever reads it; the year is in the run's id. */
function localTime(date: Date): string {
  const [month, day, hour, minute] = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${month}-${day} ${hour}:${minute}`;
}

function reasonLines(why: string | undefined, { paint, width }: TableStyle): string[] {
  return why === undefined ? [] : wrapLines([`  → ${shorten(why, longestCell)}`], width).map((line) => paint.faint(line));
}
