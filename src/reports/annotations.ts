import type { LimitPlace } from '../core/criterion.js';
import { harmless } from '../core/sanitise.js';
import { isFailing } from '../metrics/judge.js';
import { actualText } from '../reporters/criterion-text.js';
import type { Result } from './result/result.js';
import { headWord, placeOfLimit, statement } from './result/words.js';

/** GitHub shows ten errors a step: these, and one that says how many more there are. */
const most = 9;

interface Annotation {
  readonly text: string;
  readonly place?: LimitPlace | undefined;
}

/** What GitHub is to show beside the profile's lines, as its commands, one a line; nothing for a pass. `pathOf` names a file as the repository does. */
export function annotations(result: Result, pathOf: (file: string) => string): string {
  const all = findings(result);
  const rest = all.length - most;
  const shown: readonly Annotation[] = rest > 0 ? [...all.slice(0, most), { text: `${rest} more: see the report.` }] : all;
  const title = property(`loadctl ${result.environment}: ${headWord(result)}`);
  return shown.map((one) => `::error ${placeOf(one, pathOf)}title=${title}::${data(one.text)}\n`).join('');
}

/** A broken limit is said at its line; what no limit says stands by itself. */
function findings({ judged, errors }: Result): Annotation[] {
  const ended = errors.map(({ message, hint }) => ({ text: [message, ...(hint === undefined ? [] : [hint])].join('\n') }));
  if (judged === undefined) return ended;
  const { verdict, criteria, reasons } = judged.verdict;
  const broken = criteria.flatMap((criterion, index) => {
    if (!isFailing(criterion)) return [];
    return [{ text: `${statement(criterion)}: ${actualText(criterion)}, ${criterion.window}`, place: placeOfLimit(judged, index) }];
  });
  const whole = verdict === 'pass' || (verdict === 'fail' && broken.length > 0) ? [] : [{ text: reasons.join('\n') }];
  return [...ended, ...whole, ...broken];
}

function placeOf({ place }: Annotation, pathOf: (file: string) => string): string {
  return place === undefined ? '' : `file=${property(pathOf(place.file))},line=${place.line},`;
}

/** A line of the runner's is one command: what would end it is written in GitHub's own escapes. */
function data(text: string): string {
  return harmless(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
