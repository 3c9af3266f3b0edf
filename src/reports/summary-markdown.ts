import type { ErrorData } from '../core/errors.js';
import { formatCount } from '../core/quantities.js';
import { measuredNumbers } from '../metrics/endpoint-numbers.js';
import { formatValue } from '../metrics/limit-text.js';
import { comparisonHead, comparisonNotes, comparisonRows, comparisonTitles } from '../reporters/compare-table.js';
import { actualText } from '../reporters/criterion-text.js';
import { formatRate } from '../reporters/sentences/words.js';
import { type Markup, markup } from './result/markup.js';
import type { Judged, Result } from './result/result.js';
import { endWords, headWord, outcomeWords, placeOfLimit, receiptWords, runWords } from './result/words.js';

/** GitHub takes comments of 65,536 characters, and step summaries of 1 MiB; a comment has room for what others write beside it. */
const mostBytes = 60_000;

/**
 * summary.md: what came out, for a job summary or a comment on a pull request; its first line is a mark that is not shown,
 * by which a comment is found again. Tables are HTML, and every foreign text stands in `<code>`: nothing in it is Markdown,
 * a mention, a link or an image.
 */
export function summaryMarkdown(result: Result): string {
  const { judged } = result;
  const sections = [
    [`<!-- loadctl ${harmlessName(result.environment)} -->`, heading(result)],
    result.errors.map(errorBlock),
    judged === undefined ? [] : [reasons(judged), criteria(judged)],
    comparison(result),
    judged === undefined ? [] : [endpoints(judged)],
    result.receipt === undefined ? [] : [line(markup`Cleanup: ${receiptWords(result.receipt)}`)],
    judged === undefined ? [] : [line(markup`${runWords(judged)}`), ...ciLink(judged)],
  ];
  return cut(sections.flat().filter((section) => section !== ''));
}

/** What does not fit is left out, whole sections of it, and said. */
function cut(sections: readonly string[]): string {
  let text = '';
  for (const section of sections) {
    const more = `${text}${section}\n\n`;
    if (Buffer.byteLength(more) > mostBytes - 100) return `${text}Shortened: the rest is in report.html.\n`;
    text = more;
  }
  return text;
}

function heading(result: Result): string {
  const sign = result.reasons.length === 0 ? '✅' : '❌';
  return `## ${sign} loadctl ${harmlessName(result.environment)}: ${headWord(result)}\n\n${line(markup`${endWords(result)}`)}`;
}

function errorBlock({ message, hint, lines = [] }: ErrorData): string {
  return line(markup`<pre>${[message, ...lines, ...(hint === undefined ? [] : [hint])].map(oneLine).join('\n')}</pre>`);
}

function reasons({ verdict }: Judged): string {
  if (verdict.reasons.length === 0) return '';
  const shown = verdict.reasons.slice(0, 20).map((reason) => markup`<li>${code(reason)}</li>`);
  const rest = verdict.reasons.length - shown.length;
  return line(markup`<ul>${shown}${rest > 0 ? markup`<li>and ${rest} more</li>` : undefined}</ul>`);
}

function criteria(judged: Judged): string {
  const rows = judged.verdict.criteria.map((criterion, index) => {
    const place = placeOfLimit(judged, index);
    const where = place === undefined ? '' : `${place.file}:${place.line}`;
    const sign = { pass: '✅', fail: '❌', undecided: '❌', 'no-data': '❌', 'not-measured': '⚪' }[criterion.outcome];
    const cells = [criterion.name, criterion.limit, actualText(criterion), criterion.window, where];
    return [markup`${sign} ${outcomeWords[criterion.outcome]}`, ...cells.map(code)];
  });
  return table(['', 'criterion', 'limit', 'actual', 'judged', 'stated in'], rows);
}

function comparison({ compared }: Result): string[] {
  if (compared === undefined) return [];
  const rows = comparisonRows(compared).map((row) => row.map(code));
  const notes = comparisonNotes(compared).map((note) => markup`<li>${code(note)}</li>`);
  return [
    line(markup`Compared: ${comparisonHead(compared)}`),
    table(comparisonTitles, rows),
    notes.length === 0 ? '' : line(markup`<ul>${notes}</ul>`),
  ];
}

function endpoints({ record, summary }: Judged): string {
  if (summary === undefined) return '';
  const { all, endpoints: named, other } = measuredNumbers(summary, record.plan.steady);
  const every = [
    ...named.map((one) => [one.name, one] as const),
    ...(other === undefined ? [] : [['other requests', other] as const]),
    ['all requests', all] as const,
  ];
  const rows = every.map(([name, { requests, requestsPerSecond, errors, latency }]) => [
    code(name),
    formatCount(requests),
    requestsPerSecond === undefined ? '' : formatRate(requestsPerSecond),
    errors === undefined ? '–' : formatValue(errors, '%'),
    ...(['p50', 'p95', 'p99'] as const).map((which) => (latency === undefined ? '–' : formatValue(latency[which].value, 'ms'))),
  ]);
  return table(['endpoint', 'requests', 'req/s', 'errors', 'p50', 'p95', 'p99'], rows);
}

function ciLink({ record: { ciLink: link } }: Judged): string[] {
  return link === undefined ? [] : [line(markup`CI: ${code(link)}`)];
}

type Cell = Markup | string;

/** Without an empty line in it: one would end it. */
function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '';
  const head = markup`<tr>${titles.map((title) => markup`<th>${title}</th>`)}</tr>`;
  const body = rows.map((row) => markup`\n<tr>${row.map((cell) => markup`<td>${cell}</td>`)}</tr>`);
  return `${markup`<table>\n${head}${body}\n</table>`}`;
}

function code(text: string): Markup | string {
  return text === '' ? '' : markup`<code>${oneLine(text)}</code>`;
}

/** An element of a line: a Markdown that begins with a tag is HTML to its next empty line. */
function line(text: Markup): string {
  const written = text.toString();
  return written.startsWith('<') ? written : `<p>${written}</p>`;
}

const longest = 300;

function oneLine(text: string): string {
  const words = text.replace(/\s+/g, ' ').trim();
  return words.length > longest ? `${words.slice(0, longest)}…` : words;
}

/** In a comment and a heading. */
function harmlessName(environment: string): string {
  return environment.replace(/[^\w.-]|-(?=-)/g, '_');
}
