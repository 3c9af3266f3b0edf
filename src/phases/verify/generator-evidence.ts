import type { LoggedEvent } from '../../core/events.js';
import { isLoss, isMissing } from '../../core/outcome.js';
import { formatCount, formatDuration, type Milliseconds } from '../../core/quantities.js';
import { choiceFaults } from '../../metrics/choices.js';
import type { Evidence, Shortfall } from '../../metrics/criterion.js';
import { diedWithoutMemory, type GeneratorSample, generatorFaults } from '../../metrics/generators.js';
import { type PlannedShare, shortfalls } from '../../metrics/shortfall.js';
import type { Summary } from '../../metrics/summary.js';
import { runFiles } from '../../runs/layout.js';
import { readLines } from '../../runs/read.js';
import type { RunRecord } from '../../runs/record.js';
import { misfit, type Shape } from '../../runs/shape.js';
import { outcomesIn } from './outcomes.js';

/** What a run directory says about the generators. */
export interface GeneratorFacts {
  readonly record: RunRecord;
  readonly summary: Summary | undefined;
  readonly events: readonly LoggedEvent[];
  readonly samples: readonly GeneratorSample[];
}

const sampleShape: Shape = {
  t: 'number',
  runner: 'text',
  host: 'text',
  overMs: 'number',
  processCpu: 'number',
  processMemory: 'number',
  cpus: 'number',
  cpuLimit: 'number?',
  throttledMs: 'number?',
  machineCpu: 'number',
  memory: 'number',
  freeMemory: 'number',
};

/** What keeps a line from being one of generators.ndjson. */
export function sampleMisfit(line: unknown): string | undefined {
  return misfit(line, sampleShape);
}

/** The lines of generators.ndjson; none where nothing could be read. */
export async function readSamples(directory: string): Promise<GeneratorSample[]> {
  return readLines<GeneratorSample>(directory, runFiles.generators, sampleMisfit);
}

/** Adds what the generators were short of, and what is missing of the load, to what else is known of a run. */
export function withGenerators(evidence: Evidence, facts: GeneratorFacts): Evidence {
  const { record, summary } = facts;
  return {
    ...evidence,
    faults: [
      ...evidence.faults,
      ...machineFaults(facts),
      ...missingSamples(facts),
      ...lostWithoutMemory(facts),
      ...shortageFaults(facts),
      ...skewFaults(facts),
      ...(summary === undefined ? [] : choiceFaults(record.choices ?? [], summary)),
    ],
    shortfalls: shortfallsOf(facts),
  };
}

function machineFaults({ record, summary, events, samples }: GeneratorFacts): string[] {
  const released = events.find((event) => event.type === 'fleet-released')?.t;
  const ended = events.find((event) => event.type === 'load-ended')?.t ?? samples.at(-1)?.t;
  if (released === undefined || ended === undefined) return [];
  const { from, to } = record.plan.steady ?? { from: 0, to: summary?.durationMs ?? ended - released };
  return generatorFaults(samples, { from: released + from, to: Math.min(released + to, ended) });
}

/** A load of this length has left a line of each runner. */
const sampledMs: Milliseconds = 1000;

/** Where the runners could be looked at, what they used was written down: without it nothing shows that they were not the limit. */
function missingSamples({ events, samples }: GeneratorFacts): string[] {
  const unreadable = events.some((event) => event.type === 'noted' && event.code === 'generators-unreadable');
  const arrived = outcomesIn(events).some(({ cause }) => cause === 'reached-end');
  const lasted = events.some((event) => event.type === 'load-ended' && event.elapsedMs >= sampledMs);
  if (samples.length > 0 || unreadable || !arrived || !lasted) return [];
  return ['What the generators used is missing from generators.ndjson: nothing shows that they were not the limit.'];
}

function lostWithoutMemory({ events, samples }: GeneratorFacts): string[] {
  const lost = outcomesIn(events).filter(isLoss);
  return lost
    .filter(({ runner }) => diedWithoutMemory(samples, runner))
    .map(
      ({ runner }) =>
        `Runner ${runner}'s machine had less than 5% of its memory free when the runner was lost: use more machines or fewer VUs.`,
    );
}

/** So much of all requests may fail by a shortage; running out of memory always counts. */
const shortageAllowed = 0.001;

function shortageFaults({ summary, events }: GeneratorFacts): string[] {
  const requests = summary?.metrics.http_reqs?.values.count ?? 0;
  return events.flatMap((event) => {
    if (event.type !== 'runner-short') return [];
    const share = event.times / Math.max(requests, event.times);
    if (event.of !== 'memory' && share < shortageAllowed) return [];
    const times = `${formatCount(event.times)} time${event.times === 1 ? '' : 's'}`;
    return [
      {
        ports: `Runner ${event.runner} had no free port for a connection, ${times}: use more hosts, or fewer VUs on each.`,
        'open files': `Runner ${event.runner} had too many open files for a connection, ${times}: raise its limit (ulimit -n), or use more runners.`,
        memory: `Runner ${event.runner} ran out of memory: use more machines or fewer VUs.`,
      }[event.of],
    ];
  });
}

const skewAllowedMs: Milliseconds = 1000;
const longestSkewMs: Milliseconds = 5000;
const skewAllowedShare = 0.02;

function skewFaults({ summary, events }: GeneratorFacts): string[] {
  const limit = Math.min(longestSkewMs, Math.max(skewAllowedMs, (summary?.durationMs ?? 0) * skewAllowedShare));
  return events.flatMap((event) => {
    if (event.type !== 'start-skew-measured' || event.skewMs <= limit) return [];
    return [
      `The runners began ${formatDuration(event.skewMs)} apart, more than the ${formatDuration(limit)} that this test allows: they were not one test. Check the load and the clocks of their machines.`,
    ];
  });
}

/** Of a load that was ended before its time, or failed by what the script says, nothing is missing. */
function shortfallsOf({ record, summary, events }: GeneratorFacts): Shortfall[] {
  const cutShort = events.some(
    (event) => event.type === 'fleet-stopped' || (event.type === 'runner-ended' && (isMissing(event) || event.markedFailed === true)),
  );
  return summary === undefined || cutShort ? [] : shortfalls(plannedShare(record, summary), summary, record.scenarios);
}

/** Undefined where the script makes its own load, or the judged window reaches into the ramps. */
function plannedShare({ plan }: RunRecord, summary: Summary | undefined): PlannedShare | undefined {
  const { load, steady, iterationsPerSecond } = plan;
  if (load === undefined) return undefined;
  const { from, to } = steady ?? { from: 0, to: load.duration };
  const { ramp = 0, duration, vus, rate } = load;
  if (from < ramp || to > duration - ramp) return undefined;
  const windowMs = Math.max(0, Math.min(to, summary?.durationMs ?? 0) - from);
  return { vus, open: rate !== undefined, perSecond: iterationsPerSecond, windowMs };
}
