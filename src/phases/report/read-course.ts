import type { LoggedEvent } from '../../core/events.js';
import { measuredNumbers } from '../../metrics/endpoint-numbers.js';
import type { FleetLine } from '../../metrics/fleet-second.js';
import type { GeneratorSample } from '../../metrics/generators.js';
import type { Stretch } from '../../metrics/servers/series.js';
import { type Course, eventCourse } from '../../reports/result/course.js';
import { latencyFold } from '../../reports/result/latency.js';
import { machineFold } from '../../reports/result/machines.js';
import { type SecondCourse, secondFold } from '../../reports/result/seconds.js';
import { serverCourses } from '../../reports/result/servers.js';
import { runFiles } from '../../runs/layout.js';
import { foldLines } from '../../runs/read.js';
import { misfit, type Shape } from '../../runs/shape.js';
import { sampleMisfit } from '../verify/generator-evidence.js';
import { foldHistograms } from '../verify/histogram-lines.js';
import type { Judgement } from '../verify/judgement.js';
import { readJudgedLines } from '../verify/server-evidence.js';

const shapes = {
  second: {
    elapsedMs: 'number',
    vus: 'number',
    requests: 'number',
    requestsPerSecond: 'number',
    failedRequests: 'number',
    latency: 'fields?',
  },
} as const satisfies Readonly<Record<string, Shape>>;

/** The course of a load, from what was written while it went on. What it takes does not grow with how long that was. */
export async function readCourse(directory: string, judgement: Judgement, events: readonly LoggedEvent[]): Promise<Course> {
  const { record, summary } = judgement;
  const load = loadSpan(events, summary?.durationMs);
  const endMs = load.to - load.from;
  const { steady = { from: 0, to: endMs } } = record.plan;
  const names = summary === undefined ? [] : measuredNumbers(summary, record.plan.steady).endpoints.map(({ name }) => name);
  const [latency, machines] = [latencyFold(names, steady), machineFold(load)];
  await foldHistograms(directory, latency.add);
  await foldLines<GeneratorSample>(directory, runFiles.generators, sampleMisfit, machines.add);
  return {
    ...eventCourse(events, load),
    endMs,
    seconds: await readSeconds(directory),
    latency: latency.read(),
    machines: machines.read(),
    servers: serverCourses(record.plan, await readJudgedLines(directory, record.plan), load),
  };
}

/** The load second by second, as a run's directory has it. */
export async function readSeconds(directory: string): Promise<SecondCourse> {
  const seconds = secondFold();
  await foldLines<FleetLine>(directory, runFiles.timeseries, (line) => misfit(line, shapes.second), seconds.add);
  return seconds.read();
}

/** When there was load, by the run's `t`; of a run that was killed, up to what is known of it last. */
function loadSpan(events: readonly LoggedEvent[], durationMs: number | undefined): Stretch {
  const from = events.find(({ type }) => type === 'fleet-released')?.t ?? 0;
  const ended = events.find((event) => event.type === 'load-ended');
  const last = events.findLast((event) => event.type === 'fleet-sampled');
  const known = [
    ended?.type === 'load-ended' ? ended.elapsedMs : undefined,
    last?.type === 'fleet-sampled' ? last.elapsedMs : undefined,
    durationMs,
  ];
  return { from, to: from + (known.find((ms) => ms !== undefined) ?? 0) };
}
