import { formatDuration } from '../core/quantities.js';
import type { JudgedCriterion, Outcome, Verdict } from '../core/verdict.js';
import type { MeasuredNumbers } from '../metrics/endpoint-numbers.js';
import { failureText } from '../metrics/judge.js';
import { formatValue } from '../metrics/limit-text.js';
import { monitoredText } from '../metrics/server-reason.js';
import { actualText, limitOf } from './criterion-text.js';
import { renderEndpoints } from './endpoint-table.js';
import type { Paint } from './paint.js';
import { renderScriptNumbers } from './script-table.js';
import { counted } from './sentences/words.js';
import { type Column, renderTable, type TableStyle } from './table.js';
import { wrapLines } from './wrap.js';

const columns: readonly Column[] = [
  { title: 'criterion', wraps: true },
  { title: 'limit' },
  { title: 'actual', wraps: true },
  { title: 'window', wraps: true },
  { title: 'measured', wraps: true },
  { title: 'verdict' },
];

/** A run's verdict: why it is what it is, as far as the table below it does not say so, every criterion with its bounds and window, the endpoints one by one. */
export function renderVerdict(verdict: Verdict, measured: MeasuredNumbers | undefined, style: TableStyle): string {
  const { paint } = style;
  const windows = new Set(verdict.criteria.map(({ window }) => window));
  const [shared] = windows.size === 1 ? windows : [];
  const rows = verdict.criteria.map((criterion) => row(criterion, shared === undefined, paint));
  const inTable = new Set(verdict.criteria.flatMap(rowInWords));
  const reasons = verdict.reasons
    .filter((reason) => !inTable.has(reason))
    .map((reason) => `  ${verdict.verdict === 'pass' ? paint.warn('!') : paint.bad('→')} ${reason}`);
  const endpoints = measured === undefined ? [] : renderEndpoints(measured, style);
  const sections = [
    [headline(verdict, measured, shared, paint)],
    reasons,
    rows.length > 0 ? renderTable(columns, rows, style) : [],
    endpoints,
    measured === undefined ? [] : renderScriptNumbers(measured.script, style),
  ];
  return sections.flatMap((lines) => (lines.length > 0 ? [...wrapLines(lines, style.width), ''] : [])).join('\n');
}

/** What the table already says of a broken limit. */
function rowInWords({ name, limit, actual, unit }: JudgedCriterion): string[] {
  return actual === null ? [] : [`${failureText(name, formatValue(actual, unit, limitOf(limit, unit)), limit)}.`];
}

function headline({ verdict, run }: Verdict, measured: MeasuredNumbers | undefined, window: string | undefined, paint: Paint): string {
  const colour = { pass: paint.good, fail: paint.bad, invalid: paint.bad, interrupted: paint.warn }[verdict];
  const facts = [
    `run ${run}`,
    ...(measured === undefined ? [] : [`${counted(measured.runners, 'runner')}, k6 ${measured.k6Version}`]),
    ...(window === undefined ? [] : [`judged: ${window}`]),
  ];
  return `${paint.strong(colour(verdict.toUpperCase()))}  ${paint.faint(facts.join(' · '))}`;
}

function row(criterion: JudgedCriterion, withWindow: boolean, paint: Paint): string[] {
  const { name, limit, window, outcome } = criterion;
  return [name, limit, actualText(criterion), withWindow ? window : '', measuredText(criterion), outcomeText(outcome, paint)];
}

/** Of a limit for the servers: the statistic, where, and how well: `avg of app, 127.0.0.1:9100; 58 samples, longest hole 1 s`. */
function measuredText({ monitored }: JudgedCriterion): string {
  if (monitored === undefined) return '';
  const { samples, longestHoleMs } = monitored;
  const hole = longestHoleMs > 0 ? `, longest hole ${formatDuration(longestHoleMs)}` : '';
  return `${monitoredText(monitored)}; ${counted(samples, 'sample')}${hole}`;
}

const outcomes: Readonly<Record<Outcome, { readonly text: string; readonly paint: keyof Paint }>> = {
  pass: { text: '✔ pass', paint: 'good' },
  fail: { text: '✖ fail', paint: 'bad' },
  undecided: { text: '✖ undecided', paint: 'bad' },
  'no-data': { text: '✖ no data', paint: 'bad' },
  'not-measured': { text: '○ not measured', paint: 'warn' },
};

function outcomeText(outcome: Outcome, paint: Paint): string {
  const { text, paint: colour } = outcomes[outcome];
  return paint[colour](text);
}
