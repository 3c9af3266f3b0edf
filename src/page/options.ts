import uPlot from 'uplot';
import { type ChartData, isNear, type LineData, type SpanData } from '../reports/result/chart-data.js';
import { paintHeat, paintLimits, paintSpans } from './paint.js';
import { colour, lineStyle } from './style-of.js';
import { placeText, valueText } from './value-text.js';

/** The data of a chart as uPlot has it: lines, and behind each the edges of its band. */
export function alignedData(chart: ChartData): uPlot.AlignedData {
  const columns = chart.lines.flatMap(({ values, low, high }) => [values, ...(low && high ? [low, high] : [])]);
  return [[...chart.x], ...columns.map((column) => [...column])];
}

/** How uPlot draws a chart. */
export function optionsOf(chart: ChartData, size: { width: number; height: number }, spans: readonly SpanData[]): uPlot.Options {
  const { series, bands } = seriesOf(chart.lines);
  return {
    ...size,
    legend: { show: false },
    cursor: { drag: { x: chart.over === 'time', y: false }, points: { size: 6 } },
    scales: scalesOf(chart),
    axes: axesOf(chart),
    series,
    bands,
    hooks: {
      drawClear: [(plot) => chart.over === 'time' && paintSpans(plot, spans)],
      drawAxes: [(plot) => paintHeat(plot, chart)],
      draw: [(plot) => paintLimits(plot, chart)],
    },
  };
}

function seriesOf(lines: readonly LineData[]): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  lines.forEach(({ label, low, high, isBeside, unit }, index) => {
    const { stroke, dash, fill } = lineStyle(index);
    const scale = isBeside ? 'beside' : 'y';
    const paths = unit === '' && !isBeside && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: -1 }) } : {};
    series.push({ label, scale, stroke, dash, width: 1.5, points: { show: false }, ...paths });
    if (low === undefined || high === undefined) return;
    const edge: uPlot.Series = { scale, width: 0, points: { show: false } };
    bands.push({ series: [series.length + 1, series.length], fill: () => fill() });
    series.push(edge, edge);
  });
  return { series, bands };
}

function scalesOf({ over, lines, limits, heat }: ChartData): uPlot.Scales {
  if (heat !== undefined) {
    const [first = 1, last = 2] = [heat.edges[0], heat.edges.at(-1)];
    return { x: { time: false }, y: { distr: 3, log: 10, range: [first, Math.max(last, first * 1.1)] } };
  }
  if (over === 'sizes') return { x: { time: false, distr: 3, log: 10 }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] } };
  const highest = (beside: boolean) =>
    lines.reduce(
      (most, line) =>
        Boolean(line.isBeside) === beside
          ? [...line.values, ...(line.high ?? [])].reduce<number>((a, b) => Math.max(a, b ?? 0), most)
          : most,
      0,
    );
  const isShare = lines[0]?.unit === '%';
  const near = limits.filter(({ value }) => isNear(value, highest(false), isShare)).map(({ value }) => value);
  const range = (most: number): [number, number] => [0, (most || 1) * 1.08];
  return {
    x: { time: false },
    y: { range: () => range(Math.max(highest(false), ...near)) },
    beside: { range: () => range(highest(true)) },
  };
}

function axesOf(chart: ChartData): uPlot.Axis[] {
  const own: uPlot.Axis = {
    stroke: () => colour('--faint'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { stroke: () => colour('--line'), width: 1 },
    font: '11px system-ui, sans-serif',
  };
  const units = (isBeside: boolean) => chart.lines.find((line) => Boolean(line.isBeside) === isBeside)?.unit ?? '';
  const texts = (unit: LineData['unit']) => (_: uPlot, values: (number | null)[]) =>
    values.map((value) => (value === null ? '' : valueText(value, unit)));
  const places = (_: uPlot, values: (number | null)[]) => values.map((x) => (x === null ? '' : placeText(chart, x).replace('up to ', '')));
  const beside = chart.lines.some(({ isBeside }) => isBeside);
  return [
    { ...own, values: places },
    { ...own, size: 70, values: texts(chart.heat === undefined ? units(false) : 'ms') },
    ...(beside
      ? [{ ...own, scale: 'beside', side: 1, size: 60, grid: { show: false }, values: texts(units(true)) } satisfies uPlot.Axis]
      : []),
  ];
}
