import { formatDuration, type Unit } from '../../core/quantities.js';
import { formatLimit } from '../../metrics/limit-text.js';
import type { SpanData } from '../result/chart-data.js';
import type { Column } from '../result/columns.js';
import type { Course } from '../result/course.js';
import type { LatencyStretch } from '../result/latency.js';
import { type Markup, markup } from '../result/markup.js';
import type { Judged } from '../result/result.js';
import { type Charted, type Figure, figure, figureMarkup, hasValues, overTime } from './figure.js';
import { distributionSection, latencyRows } from './latency.js';
import { endsOf, heatOf, percentileLines, rateLines, type Shown } from './plot.js';
import { spansOf, spansText, spanText } from './spans.js';
import { figures, section, table, words } from './table.js';

/** Rows of a figure's table. */
const tableRows = 30;

/** The load over time. */
export function chartsSection(judged: Judged, course: Course): Charted {
  const spans = spansOf(judged, course);
  const all = [...loadFigures(judged, course, spans), ...serverFigures(course, spans), ...machineFigures(course, spans)].filter(
    ({ data }) => hasValues(data),
  );
  const distribution = distributionSection(judged, course.latency);
  const time = section(
    'charts',
    'Over time',
    markup`<p class="faint">${spansText(judged, course)}Of a long load a column has the smallest, mean and largest value of its seconds; of percentiles the largest.</p>\n`,
    markup`${all.map(figureMarkup)}`,
    marksTable(course),
  );
  return {
    section: markup`${time}${distribution?.section}`,
    charts: [...all.map(({ data }) => data), ...(distribution?.charts ?? [])],
  };
}

function loadFigures({ record: { plan } }: Judged, { seconds, latency }: Course, spans: readonly SpanData[]): Figure[] {
  const limits = plan.criteria.flatMap((criterion) =>
    criterion.metric === 'http_req_duration' && /^p\(|^max$/.test(criterion.stat)
      ? [{ label: `${criterion.name} ${formatLimit(criterion)}`, value: criterion.limit }]
      : [],
  );
  const throughput = plan.criteria.filter(({ metric, stat }) => metric === 'http_reqs' && stat === 'rate');
  const { columns, failed } = seconds;
  const statuses = [...new Set(failed.flatMap(({ values }) => Object.keys(values)))].sort();
  const shown = (measure: string, label: string, unit: Unit): Shown => ({ measure, label, unit });
  const heat = { ...overTime('heat', 'How many requests took how long'), x: endsOf(latency.stretches), heat: heatOf(latency.stretches) };
  return [
    figure(
      { id: 'load', title: 'Requests and virtual users', columns, spans },
      [shown('requestsPerSecond', 'requests/s', '/s'), { ...shown('vus', 'VUs', ''), isBeside: true }],
      throughput.map((criterion) => ({ label: `${criterion.name} ${formatLimit(criterion)}`, value: criterion.limit })),
    ),
    figure(
      { id: 'latency', title: 'How long requests took', columns, spans },
      ['p50', 'p95', 'p99'].map((name) => shown(name, name, 'ms')),
      limits,
    ),
    {
      data: { ...heat, lines: percentileLines(latency.stretches), limits },
      table: latencyRows('How long requests took, stretch by stretch', latency.stretches, tableRows),
    },
    failed.length > 0
      ? figure(
          { id: 'errors', title: 'Failed requests, by status', columns: failed, spans },
          statuses.slice(0, 12).map((status) => shown(status, status, '/s')),
        )
      : figure({ id: 'errors', title: 'Failed requests', columns, spans }, [shown('failedPerSecond', 'failed/s', '/s')]),
  ];
}

function serverFigures({ servers }: Course, spans: readonly SpanData[]): Figure[] {
  return servers.map(({ title, limit, unit, columns }, index) =>
    figure(
      { id: `server-${index + 1}`, title: `Servers: ${title}`, columns, spans },
      busiest(columns).map((measure) => ({ measure, label: measure, unit })),
      [{ label: 'limit', value: limit }],
    ),
  );
}

/** A generator above this cannot be trusted: the verdict says so. */
const fullCpu = 0.9;

function machineFigures({ machines: { columns } }: Course, spans: readonly SpanData[]): Figure[] {
  const shown = busiest(columns).map((measure): Shown => ({ measure, label: measure, unit: '%' }));
  return [
    figure({ id: 'generators', title: 'CPU of the generators’ machines', columns, spans }, shown, [{ label: 'too busy', value: fullCpu }]),
  ];
}

const mostLines = 12;

/** The sources whose largest value is largest. */
function busiest(columns: readonly Column[]): string[] {
  const most = new Map<string, number>();
  for (const { values } of columns)
    for (const [name, { high }] of Object.entries(values)) most.set(name, Math.max(high, most.get(name) ?? high));
  const sorted = [...most].sort(([, a], [, b]) => b - a).map(([name]) => name);
  return sorted.slice(0, mostLines);
}

/** The figures of one endpoint: requests, and how long they took, stretch by stretch. */
export function endpointFigures(name: string, index: number, stretches: readonly LatencyStretch[]): Figure[] {
  const id = `endpoint-${index + 1}`;
  const x = endsOf(stretches);
  const rows = latencyRows(`${name}, stretch by stretch`, stretches, 12);
  return [
    { data: { ...overTime(`${id}-load`, `${name}: requests per second`), x, lines: rateLines(stretches), limits: [] }, table: undefined },
    {
      data: { ...overTime(`${id}-latency`, `${name}: how long they took`), x, lines: percentileLines(stretches), limits: [] },
      table: rows,
    },
  ];
}

function marksTable({ marks }: Course): Markup | undefined {
  const rows = marks.map(({ kind, from, to, text }) => [kind === 'moment' ? formatDuration(from) : spanText(from, to), text]);
  return table('Limits that were broken meanwhile, and what ended', [figures('time'), words('what')], rows);
}
