import type { MonitorLine } from '../../core/monitors.js';
import type { FleetLine } from '../../metrics/fleet-second.js';
import type { GeneratorSample } from '../../metrics/generators.js';
import type { KeptLine } from '../kind/kept-line.js';
import { nanoseconds, type Point } from './line.js';
import { type Common, percentileFields } from './of-events.js';

/** Makes points of lines; those of a second hold what came since the line before. */
export function pointsOfFiles(): (kept: KeptLine, common: Common) => readonly Point[] {
  let before = { requests: 0, failedRequests: 0, iterations: 0 };
  return (kept, common) => {
    const at = nanoseconds(kept.line.at);
    if (kept.file === 'monitors') return monitorPoints(kept.line, common, at);
    if (kept.file === 'generators') return [runnerPoint(kept.line, common, at)];
    const points = secondPoints(kept.line, before, common, at);
    before = kept.line;
    return points;
  };
}

function secondPoints(
  line: FleetLine,
  before: Pick<FleetLine, 'requests' | 'failedRequests' | 'iterations'>,
  common: Common,
  at: string,
): Point[] {
  const { vus, requestsPerSecond, runnersReporting, latency, endpoints, scenarios } = line;
  const whole = {
    vus,
    requests: line.requests - before.requests,
    failed: line.failedRequests - before.failedRequests,
    iterations: line.iterations - before.iterations,
    requests_per_second: requestsPerSecond,
    runners: runnersReporting,
    ...percentileFields(latency),
  };
  const part = (measurement: string, tag: string, parts: FleetLine['endpoints']) =>
    Object.entries(parts).map(([name, { requests, failedRequests: failed, latency: taken }]): Point => {
      return {
        measurement,
        tags: { ...common, [tag]: name },
        fields: { requests, failed, ...percentileFields(taken) },
        at,
      };
    });
  return [
    { measurement: 'loadctl_second', tags: { ...common }, fields: whole, at },
    ...part('loadctl_second_endpoint', 'name', endpoints),
    ...part('loadctl_second_scenario', 'scenario', scenarios),
  ];
}

function monitorPoints({ monitor, source, values }: MonitorLine, common: Common, at: string): Point[] {
  return Object.entries(values ?? {}).map(([metric, value]) => {
    return { measurement: 'loadctl_monitor', tags: { ...common, monitor, source, metric }, fields: { value }, at };
  });
}

function runnerPoint(sample: GeneratorSample, common: Common, at: string): Point {
  const { runner, host, processCpu, processMemory, machineCpu, memory, freeMemory } = sample;
  return {
    measurement: 'loadctl_runner',
    tags: { ...common, runner, host },
    fields: { cpus: processCpu, memory: processMemory, machine_cpu: machineCpu, machine_memory: memory, machine_free_memory: freeMemory },
    at,
  };
}
