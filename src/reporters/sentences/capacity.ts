import type { CapacityProblem } from '../../core/capacity.js';
import { formatCount, trimNumber } from '../../core/quantities.js';
import { counted } from './words.js';

/** What is short, by how much, and what would do. */
export function capacityText(problem: CapacityProblem): string {
  const { host, vus } = problem;
  switch (problem.of) {
    case 'ports': {
      const { ports, from, to } = problem;
      const has = from === 1 ? 'one address has' : `its ${from} addresses have`;
      const target = to === 1 ? 'one address and port of the target' : `the ${to} addresses of the target`;
      const held = `${formatCount(vus)} VUs on ${host} hold a connection each, and ${has} ${formatCount(ports)} ports for connections to ${target}.`;
      return `${held} Use ${counted(problem.hosts, 'host')}, or give it more ports (sysctl net.ipv4.ip_local_port_range).`;
    }
    case 'open files': {
      const { needed, has, runners } = problem;
      const needs = `A runner on ${host} needs ${formatCount(needed)} open files for ${formatCount(vus)} VUs, and may have ${formatCount(has)}.`;
      return `${needs} Raise the limit (ulimit -n), or use ${counted(runners, 'runner')}.`;
    }
    case 'memory': {
      const { neededBytes, freeBytes, hosts } = problem;
      const takes = `${formatCount(vus)} VUs on ${host} take about ${formatBytes(neededBytes)} of memory (250 kB each), and ${formatBytes(freeBytes)} are free.`;
      return `${takes} Use ${counted(hosts, 'host')}, or fewer VUs.`;
    }
    case 'CPUs': {
      const { requestsPerSecond, needed, has, hosts } = problem;
      const takes = `${formatCount(requestsPerSecond)} requests/s on ${host} take about ${trimNumber(needed, 1)} CPUs (7,000 requests/s each, at 70%), and it has ${trimNumber(has, 1)}.`;
      return `${takes} Use ${counted(hosts, 'host')}, or ask for less.`;
    }
  }
}

/** Memory as people say it: `12.5 MB`, `3.2 GB`. */
export function formatBytes(bytes: number): string {
  return bytes >= 1e9 ? `${trimNumber(bytes / 1e9, 1)} GB` : `${trimNumber(bytes / 1e6, 1)} MB`;
}
