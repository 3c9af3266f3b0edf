import type { CustomMetric, ScenarioNumbers, ScriptNumbers } from '../core/events.js';
import { formatCount, formatDuration, trimNumber } from '../core/quantities.js';
import { formatValue } from '../metrics/limit-text.js';
import { formatBytes } from './sentences/capacity.js';
import { counted, formatRate } from './sentences/words.js';
import { type Column, longestCell, renderPairs, renderTable, type TableStyle } from './table.js';
import { shorten } from './width.js';

const columns: readonly Column[] = [
  { title: 'scenario', wraps: true },
  { title: 'iterations', align: 'right' },
  { title: 'iterations/s', align: 'right' },
  { title: 'dropped', align: 'right' },
  { title: 'requests', align: 'right' },
  { title: 'errors', align: 'right' },
  { title: 'p95', align: 'right' },
];

/** What the script shows of itself: its scenarios, checks, dropped iterations and own metrics. */
export function renderScriptNumbers({ checks, droppedIterations, scenarios, metrics }: ScriptNumbers, style: TableStyle): string[] {
  const { paint } = style;
  const failing = (checks?.failing ?? []).map(({ name, passes, fails }) =>
    paint.bad(`✖ ${shorten(oneLine(name), longestCell)}: failed ${formatCount(fails)} of ${formatCount(passes + fails)}`),
  );
  const held = checks === undefined ? [] : [heldText(checks), ...failing];
  const pairs = renderPairs(
    [
      ['checks', held],
      ['dropped', droppedIterations === undefined ? [] : [`${counted(droppedIterations, 'iteration')} never begun`]],
      ...metrics.map((metric) => [metric.name, [valuesText(metric)]] as const),
    ],
    style,
  );
  const table = scenarios.length === 0 ? [] : renderTable(columns, scenarios.map(scenarioRow), style);
  return [...table, ...(table.length > 0 && pairs.length > 0 ? [''] : []), ...pairs];
}

function heldText({ passes, fails }: NonNullable<ScriptNumbers['checks']>): string {
  const share = formatValue(passes / (passes + fails), '%');
  return `${share} passed (${formatCount(passes)} of ${formatCount(passes + fails)})`;
}

function scenarioRow({ name, iterations, iterationsPerSecond, dropped, requests, errors, p95 }: ScenarioNumbers): string[] {
  return [
    oneLine(name),
    formatCount(iterations),
    iterationsPerSecond === undefined ? '' : formatRate(iterationsPerSecond).replace('/s', ''),
    dropped === undefined ? '' : formatCount(dropped),
    formatCount(requests),
    errors === undefined ? '–' : formatValue(errors, '%'),
    p95 === undefined ? '–' : formatValue(p95, 'ms'),
  ];
}

/** A metric's values by k6's names, in the order of k6's own summary. */
function valuesText({ type, contains, values }: CustomMetric): string {
  const show = (value: number) => numberText(value, contains);
  const [count = 0, rate, passes = 0, fails = 0] = [values.count, values.rate, values.passes, values.fails];
  switch (type) {
    case 'counter':
      return `${contains === 'data' ? formatBytes(count) : trimNumber(count, 3)}${rate === undefined ? '' : `  ${formatRate(rate)}`}`;
    case 'rate':
      return `${formatValue(rate ?? 0, '%')} (${formatCount(passes)} of ${formatCount(passes + fails)})`;
    case 'gauge':
      return ['value', 'min', 'max'].flatMap((stat) => (values[stat] === undefined ? [] : [`${stat}=${show(values[stat])}`])).join(' ');
    case 'trend': {
      const stats = ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'];
      return stats.flatMap((stat) => (values[stat] === undefined ? [] : [`${stat}=${show(values[stat])}`])).join(' ');
    }
  }
}

function numberText(value: number, contains: CustomMetric['contains']): string {
  if (contains === 'time') return formatDuration(value);
  return contains === 'data' ? formatBytes(value) : trimNumber(value, 2);
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
