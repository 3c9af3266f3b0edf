import { formatDuration, trimNumber } from '../../core/quantities.js';
import { formatBytes } from '../../reporters/sentences/capacity.js';
import { endText } from '../../reporters/sentences/end.js';
import type { Course, RunnerRow } from '../result/course.js';
import type { Most } from '../result/machines.js';
import { type Markup, markup } from '../result/markup.js';
import type { Judged } from '../result/result.js';
import { type Cell, figures, section, table, words } from './table.js';

/** Why the numbers can be trusted, or not. */
export function validitySection({ verdict, record, summary }: Judged, course: Course | undefined): Markup | undefined {
  const isValid = verdict.verdict === 'pass' || verdict.verdict === 'fail';
  const lost = course?.runners.filter(({ outcome }) => (outcome?.lost ?? 0) > 0) ?? [];
  const busiest = Math.max(0, ...[...(course?.machines.most.values() ?? [])].map(({ machineCpu }) => machineCpu));
  const facts: (string | undefined)[] = [
    `${summary?.runners ?? 0} of ${record.plan.runners.length} runners’ numbers are in the result`,
    lost.length > 0 ? `load was lost with runner ${lost.map(({ runner }) => runner).join(', ')}` : 'no load was lost',
    course?.skewMs === undefined ? undefined : `the runners began ${formatDuration(course.skewMs)} apart`,
    busiest === 0
      ? 'nothing shows how busy the generators were'
      : `the busiest generator’s machine was at ${percent(busiest)} CPU in its busiest second`,
  ];
  const word = isValid ? markup`<span class="pass">valid</span>` : markup`<span class="invalid">${verdict.verdict}</span>`;
  const list = facts.flatMap((fact) => (fact === undefined ? [] : [markup`<li>${fact}</li>`]));
  return section('validity', 'Validity', markup`<p>The result is ${word}.</p>\n<ul>${list}</ul>\n`);
}

/** Every runner: where, which part of the load, what came of it, what it used. */
export function runnersSection(course: Course | undefined): Markup | undefined {
  const titles = [
    words('runner'),
    words('host'),
    words('part of the load'),
    figures('VUs'),
    words('came to'),
    figures('load lost'),
    figures('k6 CPUs, at most'),
    figures('machine CPU, at most'),
    figures('k6 memory, at most'),
  ];
  return section(
    'runners',
    'Runners',
    table(
      'The runners of the fleet',
      titles,
      (course?.runners ?? []).map((row) => runnerRow(row, course?.machines.most.get(row.runner))),
    ),
  );
}

function runnerRow({ runner, host, segment, vus, outcome }: RunnerRow, most: Most | undefined): Cell[] {
  return [
    runner,
    host,
    segment,
    vus ?? '–',
    outcome === undefined ? 'unknown' : endText(outcome),
    outcome === undefined ? '–' : percent(outcome.lost),
    most === undefined ? '–' : trimNumber(most.cpus, 2),
    most === undefined ? '–' : percent(most.machineCpu),
    most === undefined ? '–' : formatBytes(most.memory),
  ];
}

/** What happened, in the order in which it did. */
export function storySection(course: Course | undefined): Markup | undefined {
  const rows = (course?.story ?? []).map(({ t, text, isWarning }) => [
    formatDuration(t),
    isWarning ? markup`<span class="warning">${text}</span>` : text,
  ]);
  return section('story', 'What happened', table('From the first event of the command on', [figures('after'), words('what')], rows));
}

function percent(share: number): string {
  return `${trimNumber(share * 100, 1)}%`;
}
