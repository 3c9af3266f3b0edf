import { exitCodesOf } from '../../core/errors.js';
import type { Monitored } from '../../core/monitors.js';
import { trimNumber } from '../../core/quantities.js';
import type { JudgedCriterion } from '../../core/verdict.js';
import { formatValue } from '../../metrics/limit-text.js';
import { monitoredText } from '../../metrics/server-reason.js';
import { limitOf, valueText } from '../../reporters/criterion-text.js';
import { type Markup, markup } from '../result/markup.js';
import type { Judged, Result } from '../result/result.js';
import { endWords, headWord, outcomeWords, placeOfLimit, runWords } from '../result/words.js';
import { type Cell, exactNumber, figures, section, table, words } from './table.js';

/** What it came to, first of all: the word, how the command ended, why. */
export function verdictHead(result: Result): Markup {
  const { judged, environment, errors } = result;
  const word = headWord(result);
  const reasons = judged?.verdict.reasons ?? [];
  return markup`<h1><span class="word ${word.toLowerCase()}">${word}</span> ${environment}</h1>
<p>${endWords(result)}${otherEnds(result)}${judged && markup`<br><span class="faint">${runWords(judged)}, begun ${new Date(judged.record.startedAt).toISOString()}</span>`}</p>
${errors.map(({ message, hint, lines = [] }) => markup`<pre class="error">${[message, ...lines, ...(hint === undefined ? [] : [hint])].join('\n')}</pre>\n`)}${reasons.length > 0 ? markup`<ul>${reasons.map((reason) => markup`<li>${reason}</li>`)}</ul>\n` : undefined}`;
}

/** An exit status says the most urgent of what holds. */
function otherEnds({ reasons }: Result): string {
  const { exitCode, exitCodes } = exitCodesOf(reasons);
  const others = exitCodes.filter((code) => code !== exitCode);
  return others.length === 0 ? '' : ` (also: ${others.join(', ')})`;
}

/** Every criterion: limit, actual, bounds, window, margin, and where the limit stands. */
export function criteriaSection(judged: Judged): Markup | undefined {
  const titles = [
    words('criterion'),
    words('outcome'),
    figures('limit'),
    figures('actual'),
    figures('bounds'),
    figures('margin'),
    words('judged'),
    words('measured by'),
    words('stated in'),
  ];
  const rows = judged.verdict.criteria.map((criterion, index) => row(judged, criterion, index));
  return section('criteria', 'Criteria', table('Every criterion, with the bounds that its value certainly lies in', titles, rows));
}

function row(judged: Judged, criterion: JudgedCriterion, index: number): Cell[] {
  const { name, outcome, limit, window, monitored, source, actual } = criterion;
  const place = placeOfLimit(judged, index);
  return [
    name,
    markup`<span class="${outcome}">${outcomeWords[outcome]}</span>`,
    limit,
    actual === null ? '–' : markup`<data value="${actual}">${valueText(criterion)}</data>`,
    boundsOf(criterion),
    marginText(criterion),
    window,
    monitored === undefined ? source : measuredBy(monitored),
    place === undefined ? '' : `${place.file}:${place.line}`,
  ];
}

function measuredBy(monitored: Monitored): Markup {
  const { samples, longestHoleMs } = monitored;
  return markup`${monitoredText(monitored)}; ${exactNumber(samples)} samples, longest hole ${exactNumber(longestHoleMs)} ms`;
}

/** Both bounds; a value that is certain has none. */
function boundsOf({ low, high, unit, limit }: JudgedCriterion): Cell {
  if (low === null || high === null) return '';
  const [from, to] = [low, high].map((bound) => markup`<data value="${bound}">${formatValue(bound, unit, limitOf(limit, unit))}</data>`);
  return low === high ? 'exact' : markup`${from} – ${to}`;
}

/** How far the value is on the right side of its limit, as a share of the limit: `−23%` broke it by so much. */
function marginText({ actual, limit, unit }: JudgedCriterion): string {
  const mark = limitOf(limit, unit);
  if (actual === null || mark === undefined || mark === 0) return '';
  const share = (limit.trim().startsWith('<') ? mark - actual : actual - mark) / Math.abs(mark);
  return `${share < 0 ? '−' : ''}${trimNumber(Math.abs(share) * 100, 1)}%`;
}
