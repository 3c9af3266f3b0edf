import { formatCount, trimNumber } from '../core/quantities.js';
import { type Capacity, formatBytes, type HostFacts, type Needs, portsOf } from '../plan/capacity.js';
import { counted, formatRate } from './sentences/words.js';
import { type Column, renderTable, type TableStyle } from './table.js';
import { wrapLines } from './wrap.js';

/** What a runner and a host have to carry, against what the host has, and what does not fit. */
export function renderCapacity({ capacity, note }: { readonly capacity: Capacity; readonly note: string }, style: TableStyle): string[] {
  const { hosts, runner, problems, enough } = capacity;
  const [busiest] = hosts.toSorted((a, b) => b.runners - a.runners);
  if (busiest === undefined) return [];
  const columns: readonly Column[] = [
    { title: 'capacity' },
    { title: 'a runner', align: 'right' },
    { title: hosts.length === 1 ? busiest.name : `each of ${formatCount(hosts.length)} hosts`, align: 'right' },
    { title: 'has' },
  ];
  const lines = [
    ...renderTable(columns, rows(runner, busiest.needs, busiest.facts), style),
    `  ${style.paint.faint(`enough: ${counted(enough.hosts, 'such host')} with ${counted(enough.runners, 'runner')}`)}`,
    ...(note === '' ? [] : [`  ${style.paint.faint(note)}`]),
    ...problems
      .filter(({ message }, index) => problems.findIndex((other) => other.message === message) === index)
      .map(({ certain, message }) => `  ${certain ? style.paint.bad('✖') : style.paint.warn('!')} ${message}`),
  ];
  return wrapLines(lines, style.width);
}

function rows(runner: Capacity['runner'], host: Needs, has: HostFacts): string[][] {
  const rate = (value: number | undefined) => (value === undefined ? '?' : formatRate(value).replace('/s', ''));
  const { cpus, openFiles, freeMemoryBytes } = has;
  const ports = portsOf(has);
  return [
    ['VUs', formatCount(runner.vus), formatCount(host.vus), ''],
    ['iterations/s', rate(runner.iterationsPerSecond), rate(host.iterationsPerSecond), ''],
    ['requests/s', rate(runner.requestsPerSecond), rate(host.requestsPerSecond), ''],
    ['CPUs', rough(runner.cpus), rough(host.cpus), cpus === undefined ? '?' : formatCount(cpus)],
    [
      'connections',
      formatCount(runner.connections),
      formatCount(host.connections),
      ports === undefined ? '?' : `${formatCount(ports)} ports`,
    ],
    [
      'memory',
      formatBytes(runner.memoryBytes),
      formatBytes(host.memoryBytes),
      freeMemoryBytes === undefined ? '?' : `${formatBytes(freeMemoryBytes)} free`,
    ],
    ['open files', formatCount(runner.openFiles), '', openFiles === undefined ? '?' : `${formatCount(openFiles)} a process`],
  ];
}

function rough(cpus: number | undefined): string {
  if (cpus === undefined) return '?';
  return cpus < 0.1 ? '< 0.1' : trimNumber(cpus, 1);
}
