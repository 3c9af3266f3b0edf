import { formatDuration, trimNumber, type Unit } from '../core/quantities.js';
import { formatValue } from '../metrics/limit-text.js';
import type { ChartData, SpanData } from '../reports/result/chart-data.js';

/** A value as it is shown everywhere. */
export function valueText(value: number, unit: Unit): string {
  return unit === '' ? trimNumber(value, Math.abs(value) < 10 ? 2 : 0) : formatValue(value, unit);
}

/** A place of a chart's axis: a moment of the load, or how long a request took. */
export function placeText(chart: Pick<ChartData, 'over'>, x: number): string {
  if (chart.over === 'sizes') return `up to ${valueText(x, 'ms')}`;
  return x <= 0 ? '0s' : formatDuration(x * 1000);
}

/** What a chart shows at one of its columns, in words. */
export function columnText(chart: ChartData, index: number, spans: readonly SpanData[]): string {
  const values = chart.lines.map((line) => {
    const [value, low, high] = [line.values[index], line.low?.[index], line.high?.[index]];
    if (value === null || value === undefined) return `${line.label} –`;
    const bounds = low !== null && low !== undefined && high !== null && high !== undefined && low !== high;
    const range = bounds ? ` (${valueText(low, line.unit)} to ${valueText(high, line.unit)})` : '';
    return `${line.label} ${valueText(value, line.unit)}${range}`;
  });
  return [placeText(chart, chart.x[index] ?? 0), ...values, ...heatText(chart, index), ...behind(chart, index, spans)].join(', ');
}

/** What lies behind a column, which begins where the one before it ended. */
function behind({ over, x }: ChartData, index: number, spans: readonly SpanData[]): string[] {
  const [begin, end] = [x[index - 1] ?? 0, x[index] ?? 0];
  const there = spans.filter(({ kind, from, to }) => (kind === 'moment' ? from > begin && from <= end : from < end && to > begin));
  return over === 'time' ? there.map(({ text }) => text) : [];
}

/** The bucket that has most requests of a column. */
function heatText({ heat }: ChartData, index: number): string[] {
  const counts = heat?.counts[index];
  if (heat === undefined || counts === undefined) return [];
  const all = counts.reduce((sum, count) => sum + count, 0);
  const fullest = counts.indexOf(Math.max(...counts));
  const [low, high] = [heat.edges[fullest] ?? 0, heat.edges[fullest + 1] ?? 0];
  return [`${all} requests`, `most of them ${valueText(low, 'ms')} to ${valueText(high, 'ms')}`];
}
