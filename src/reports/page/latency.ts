import { formatCount, formatDuration } from '../../core/quantities.js';
import { formatValue } from '../../metrics/limit-text.js';
import { addHistograms } from '../../metrics/native-histogram.js';
import type { ChartData } from '../result/chart-data.js';
import { bucketsInMs, type LatencyCourse, type LatencyStretch, percentilesOf } from '../result/latency.js';
import { type Markup, markup } from '../result/markup.js';
import type { Judged } from '../result/result.js';
import { legend } from './chart.js';
import type { Charted } from './figure.js';
import { distributionOf } from './plot.js';
import { details, figures, section, table, words } from './table.js';

/** How long requests took in each stretch of the load, with bounds; neighbours are added up where there are many. */
export function latencyRows(caption: string, stretches: readonly LatencyStretch[], most: number): Markup | undefined {
  const each = Math.max(1, Math.ceil(stretches.length / most));
  const groups = Array.from({ length: Math.ceil(stretches.length / each) }, (_, index) =>
    stretches.slice(index * each, (index + 1) * each),
  );
  const rows = groups.map((group) => {
    const all = addHistograms(group.map((one) => one.all));
    const expected = group.reduce((sum, one) => sum + one.expected.count, 0);
    const latency = percentilesOf(all);
    const from = group[0]?.from ?? 0;
    return [
      `${from === 0 ? '0s' : formatDuration(from)}–${formatDuration(group.at(-1)?.to ?? 0)}`,
      formatCount(all.count),
      formatCount(all.count - expected),
      ...(['p50', 'p95', 'p99'] as const).map((name) => boundsText(latency?.[name])),
    ];
  });
  return table(caption, [figures('time'), figures('requests'), figures('failed'), ...['p50', 'p95', 'p99'].map(figures)], rows);
}

function boundsText(read: { readonly low: number; readonly high: number } | undefined): string {
  return read === undefined ? '–' : `${formatValue(read.low, 'ms')} – ${formatValue(read.high, 'ms')}`;
}

/** How long requests of the judged window took: on a logarithmic scale, and in bands of the limit. */
export function distributionSection({ record }: Judged, { judged }: LatencyCourse): Charted | undefined {
  if (judged.all.count === 0) return undefined;
  const limit = record.plan.criteria.find(({ metric, stat }) => metric === 'http_req_duration' && stat.startsWith('p('));
  const limits = limit === undefined ? [] : [{ label: limit.name, value: limit.limit }];
  const title = 'How many requests took so long';
  const data: ChartData = { id: 'distribution', title, over: 'sizes', ...distributionOf(judged), limits };
  const expected = new Map(bucketsInMs(judged.expected).map(({ high, count }) => [high, count]));
  const rows = bucketsInMs(judged.all).map(({ low, high, count }) => [
    `${formatValue(low, 'ms')} – ${formatValue(high, 'ms')}`,
    formatCount(count),
    formatCount(expected.get(high) ?? 0),
    formatValue(count / judged.all.count, '%'),
  ]);
  const titles = [figures('took'), figures('requests'), figures('expected answers'), figures('share')];
  const chart = markup`<figure data-chart="distribution" aria-labelledby="title-distribution"><figcaption id="title-distribution">${title}</figcaption>
${legend(data.lines)}${details(`${title}, as a table`, table('Requests of the stretches of 10 s in the judged window', titles, rows))}</figure>
`;
  return {
    section: section('distribution', 'Distribution', limit && bandsTable(judged, limit.limit), chart),
    charts: [data],
  };
}

/** A bucket that the limit lies in is counted apart: on which side its requests are is not known. */
function bandsTable({ all }: Pick<LatencyStretch, 'all'>, limit: number): Markup | undefined {
  const buckets = bucketsInMs(all);
  const between = (from: number, to: number) =>
    buckets.reduce((sum, { low, high, count }) => sum + (low >= from && high <= to ? count : 0), 0);
  const across = (mark: number) => buckets.reduce((sum, { low, high, count }) => sum + (low < mark && high > mark ? count : 0), 0);
  const [at, twice] = [formatValue(limit, 'ms'), formatValue(2 * limit, 'ms')];
  const rows = (
    [
      [`up to ${at}`, between(0, limit)],
      [`about ${at}`, across(limit)],
      [`${at} to ${twice}`, between(limit, 2 * limit)],
      [`about ${twice}`, across(2 * limit)],
      [`above ${twice}`, between(2 * limit, Number.POSITIVE_INFINITY)],
    ] as const
  ).map(([name, count]) => [name, formatCount(count), formatValue(count / all.count, '%')]);
  return table('Requests by the limit', [words('took'), figures('requests'), figures('share')], rows);
}
