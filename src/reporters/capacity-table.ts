import { formatCount, trimNumber } from '../core/quantities.js';
import { type Capacity, type HostFacts, type Needs, portsOf } from '../plan/capacity.js';
import type { PodNeeds } from '../plan/pods.js';
import { podLines, podProblemText } from './pods-text.js';
import { capacityText, formatBytes } from './sentences/capacity.js';
import { counted, formatRate } from './sentences/words.js';
import { type Column, renderTable, type TableStyle } from './table.js';
import { wrapLines } from './wrap.js';

/** A capacity, a word on whose limits those are, and what runners that are pods ask of their cluster. */
export interface Carried {
  readonly capacity: Capacity;
  readonly note: string;
  readonly pods?: PodNeeds;
}

/** What a runner and a host have to carry, against what the host has, and what does not fit. */
export function renderCapacity({ capacity, note, pods }: Carried, style: TableStyle): string[] {
  const { hosts, problems } = capacity;
  const { paint } = style;
  const [busiest] = hosts.toSorted((a, b) => b.runners - a.runners);
  if (busiest === undefined) return [];
  const columns: readonly Column[] = [
    { title: 'capacity' },
    { title: 'a runner', align: 'right' },
    {
      title: hosts.length === 1 ? busiest.name : `each of ${formatCount(hosts.length)} ${pods === undefined ? 'hosts' : 'pods'}`,
      align: 'right',
    },
    { title: 'has' },
  ];
  const lines = [
    ...renderTable(columns, rows(capacity, busiest.needs, busiest.facts), style),
    ...[pods === undefined || capacity.enough === undefined ? enoughText(capacity) : '', note].flatMap((text) =>
      text === '' ? [] : [`  ${paint.faint(text)}`],
    ),
    ...(pods === undefined ? [] : podLines(pods).map((line) => `  ${line}`)),
    ...[pods && podProblemText(pods)].flatMap((text) => (text === undefined ? [] : [`  ${paint.warn('!')} ${text}`])),
    ...new Set(problems.map((problem) => `  ${problem.certain ? paint.bad('✖') : paint.warn('!')} ${capacityText(problem)}`)),
  ];
  return wrapLines(lines, style.width);
}

/** Without the rate of requests nobody knows what CPUs it takes: a small part of the load shows it. */
function enoughText({ enough }: Capacity): string {
  if (enough !== undefined) return `enough: ${counted(enough.hosts, 'such host')} with ${counted(enough.runners, 'runner')}`;
  return "CPUs: unknown, because the script's requests/s are unknown. A short run with few VUs (workload.scale: 10%) measures them.";
}

function rows({ runner, targetAddresses }: Capacity, host: Needs, has: HostFacts): string[][] {
  const rate = (value: number | undefined) => (value === undefined ? '?' : formatRate(value).replace('/s', ''));
  const { cpus, openFiles, freeMemoryBytes } = has;
  const ports = portsOf(has);
  const told = ports === undefined ? '?' : `${formatCount(ports * targetAddresses)} ports`;
  return [
    ['VUs', formatCount(runner.vus), formatCount(host.vus), ''],
    ['iterations/s', rate(runner.iterationsPerSecond), rate(host.iterationsPerSecond), ''],
    ['requests/s', rate(runner.requestsPerSecond), rate(host.requestsPerSecond), ''],
    ['CPUs (at 70%)', rough(runner.cpus), rough(host.cpus), cpus === undefined ? '?' : trimNumber(cpus, 1)],
    [
      'connections',
      formatCount(runner.connections),
      formatCount(host.connections),
      targetAddresses > 1 ? `${told} to ${targetAddresses} addresses` : told,
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
