import { comparisonHead, comparisonNotes, comparisonRows, comparisonTitles } from '../../reporters/compare-table.js';
import { markup } from '../result/markup.js';
import { type RunCourse, sideBySide } from '../result/overlay.js';
import type { Result } from '../result/result.js';
import { type Charted, type Figure, figure, figureMarkup } from './figure.js';
import type { Shown } from './plot.js';
import { figures, section, table, words } from './table.js';

/** What a comparison with earlier runs came to, and their loads laid over this one; nothing where none was asked for. */
export function comparisonSection({ compared }: Result): Charted {
  if (compared === undefined) return { section: undefined, charts: [] };
  const titles = comparisonTitles.map((title) => (['before', 'after', 'change'].includes(title) ? figures(title) : words(title)));
  const notes = comparisonNotes(compared);
  const laid = compared.courses.length > 1 ? courseFigures(compared.courses) : [];
  return {
    section: section(
      'comparison',
      'Comparison',
      markup`<p>${comparisonHead(compared)}</p>\n`,
      table('Beside earlier runs of the same load; numbers with a limit first', titles, comparisonRows(compared)),
      notes.length === 0 ? undefined : markup`<ul>${notes.map((note) => markup`<li>${note}</li>`)}</ul>\n`,
      laid.length === 0 ? undefined : markup`${laid.map(figureMarkup)}`,
    ),
    charts: laid.map(({ data }) => data),
  };
}

/** As long as the longest new run, in whole seconds: what is left of one says little. */
function courseFigures(courses: readonly RunCourse[]): Figure[] {
  const longest = Math.max(0, ...courses.map(({ isNew, columns }) => (isNew ? (columns.at(-1)?.to ?? 0) : 0)));
  const endMs = Math.max(1000, Math.floor(longest / 1000) * 1000);
  const laid = (id: string, title: string, measure: string, unit: Shown['unit']) =>
    figure(
      { id: `compared-${id}`, title, columns: sideBySide(courses, measure, endMs), spans: [] },
      courses.map(({ run, isNew }) => ({ measure: run, label: isNew ? `new: ${run}` : run, unit })),
    );
  return [
    laid('requests', 'Requests a second, run by run', 'requestsPerSecond', '/s'),
    laid('p95', 'p95, run by run', 'p95', 'ms'),
    laid('failed', 'Failed requests a second, run by run', 'failedPerSecond', '/s'),
  ].filter(({ data }) => data.lines.some(({ values }) => values.some((value) => value !== null && value > 0)));
}
