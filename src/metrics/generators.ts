import type { RunnerId } from '../core/ids.js';
import { formatDuration, type Milliseconds, type Share, trimNumber } from '../core/quantities.js';

/** One second of one generator: a line of generators.ndjson. */
export interface GeneratorSample {
  /** The end of that second, by the run's `t`. */
  readonly t: Milliseconds;
  readonly runner: RunnerId;
  readonly host: string;
  /** How long the second really was. */
  readonly overMs: Milliseconds;
  /** CPUs that the k6 process used: 1.5 is one and a half. */
  readonly processCpu: number;
  /** Memory that the k6 process holds, in bytes. */
  readonly processMemory: number;
  /** CPUs of the machine. */
  readonly cpus: number;
  /** CPUs that the process may use, where a container has fewer than its machine. */
  readonly cpuLimit?: number;
  /** How long the limit of its container kept its threads off the CPUs that it would have used, of all of them together. */
  readonly throttledMs?: Milliseconds;
  /** How busy the machine was, whoever made it so. */
  readonly machineCpu: Share;
  /** Memory of the machine or the container, and what of it is free, in bytes. */
  readonly memory: number;
  readonly freeMemory: number;
}

/** The time that is judged, by the run's `t`. */
export interface TimeSpan {
  readonly from: Milliseconds;
  readonly to: Milliseconds;
}

/** A machine is at its limit above this. */
const fullCpu: Share = 0.9;
/** ... and below this much free memory. */
const freeMemory: Share = 0.05;
/** The generators of this run have a real part in it: a quarter of the whole machine or more is theirs. */
const realPart: Share = 0.25;
/** A blip spoils nothing: it must have lasted for so long, and for so much of the judged time. */
const leastMs: Milliseconds = 3000;
const leastShare: Share = 0.1;

/** What the machines of the generators were short of, as sentences: the generator was the limit, not the target. */
export function generatorFaults(samples: readonly GeneratorSample[], span: TimeSpan): string[] {
  return machinesOf(samples, span).flatMap((machine) => [
    ...lasting(machine, span, (tick) => tick.cpu > fullCpu && tick.cpuPart >= realPart).map(
      ({ time, ticks }) =>
        `${machine.whose} was above 90% CPU for ${time}, k6 itself using ${percent(mean(ticks, ({ cpuPart }) => cpuPart))}: use more machines or fewer VUs.`,
    ),
    ...machine.runners.flatMap((runner) =>
      lasting(machine, span, (tick) => (tick.ofLimit.get(runner) ?? 0) > fullCpu).map(
        ({ time }) =>
          `Runner ${runner} used more than 90% of the CPU that its container may use for ${time}: give it more CPU, or use more runners.`,
      ),
    ),
    ...throttlings(machine, span),
    ...lasting(machine, span, (tick) => tick.free < freeMemory && tick.memoryPart >= realPart).map(
      ({ time, ticks }) =>
        `${machine.whose} had less than 5% of its memory free for ${time}, k6 itself holding ${percent(mean(ticks, ({ memoryPart }) => memoryPart))}: use more machines or fewer VUs.`,
    ),
  ]);
}

/** A limit on CPU stops k6 in the middle of a request, and what it measures grows by that. */
const throttledShare: Share = 0.01;

function throttlings({ runners, ticks }: Machine, { from, to }: TimeSpan): string[] {
  return runners.flatMap((runner) => {
    const ms = ticks.reduce((total, { throttledMs }) => total + (throttledMs.get(runner) ?? 0), 0);
    if (ms <= (to - from) * throttledShare) return [];
    return [
      `Runner ${runner} was throttled by the CPU limit of its container for ${trimNumber(ms / 1000, 1)} s of ${seconds(to - from)}: raise that limit, or take it away.`,
    ];
  });
}

/** A machine with generators that others kept busy for `forMs` of `ofMs`; `k6` is the generators' own share of it. */
export interface CrowdedMachine {
  readonly host: string;
  readonly runners: readonly RunnerId[];
  readonly forMs: Milliseconds;
  readonly ofMs: Milliseconds;
  readonly k6: Share;
}

/** Machines that others kept busy: no fault of the generators, but latencies may be too long. */
export function crowdedMachines(samples: readonly GeneratorSample[], span: TimeSpan): CrowdedMachine[] {
  return machinesOf(samples, span).flatMap((machine) =>
    lasting(machine, span, (tick) => tick.cpu > fullCpu && tick.cpuPart < realPart).map(({ forMs, ofMs, ticks }) => ({
      host: machine.host,
      runners: machine.runners,
      forMs,
      ofMs,
      k6: mean(ticks, ({ cpuPart }) => cpuPart),
    })),
  );
}

/** Whether the last that was seen of a runner is a machine without memory. */
export function diedWithoutMemory(samples: readonly GeneratorSample[], runner: RunnerId): boolean {
  const last = samples.findLast((sample) => sample.runner === runner);
  return last !== undefined && last.freeMemory < last.memory * freeMemory;
}

/** One second of a machine, all its runners together. */
interface Tick {
  readonly ms: Milliseconds;
  readonly cpu: Share;
  readonly cpuPart: Share;
  /** By runner: the share that it used of what its container may use. */
  readonly ofLimit: ReadonlyMap<string, Share>;
  /** By runner. */
  readonly throttledMs: ReadonlyMap<string, Milliseconds>;
  readonly free: Share;
  readonly memoryPart: Share;
}

interface Machine {
  readonly host: string;
  readonly whose: string;
  readonly runners: readonly RunnerId[];
  readonly ticks: readonly Tick[];
}

function machinesOf(samples: readonly GeneratorSample[], span: TimeSpan): Machine[] {
  return [...groupBy(samples, ({ host }) => host)].map(([host, ofHost]) => {
    const runners = [...new Set(ofHost.map(({ runner }) => runner))];
    const ticks = [...groupBy(ofHost, ({ t }) => t).values()].map((together) => tickOf(together, span));
    return { host, whose: whoseMachine(runners), runners, ticks: ticks.filter(({ ms }) => ms > 0) };
  });
}

function tickOf(together: readonly GeneratorSample[], { from, to }: TimeSpan): Tick {
  const most = (pick: (sample: GeneratorSample) => number) => Math.max(...together.map(pick));
  const sum = (pick: (sample: GeneratorSample) => number) => together.reduce((total, sample) => total + pick(sample), 0);
  const within = ({ t, overMs }: GeneratorSample) => Math.min(t, to) - Math.max(t - overMs, from);
  return {
    ms: most(within),
    cpu: most(({ machineCpu }) => machineCpu),
    cpuPart: sum(({ processCpu, cpus }) => processCpu / cpus),
    ofLimit: new Map(
      together.flatMap(({ runner, processCpu, cpuLimit }) => (cpuLimit === undefined ? [] : [[runner, processCpu / cpuLimit]])),
    ),
    throttledMs: new Map(
      together.flatMap((sample) =>
        sample.throttledMs === undefined ? [] : [[sample.runner, (sample.throttledMs * within(sample)) / sample.overMs]],
      ),
    ),
    free: Math.min(...together.map((sample) => sample.freeMemory / sample.memory)),
    memoryPart: sum(({ processMemory, memory }) => processMemory / memory),
  };
}

interface Lasting {
  /** `41s of 1m` */
  readonly time: string;
  readonly forMs: Milliseconds;
  readonly ofMs: Milliseconds;
  readonly ticks: readonly Tick[];
}

/** The ticks of which something is true, where they last long enough; else nothing. */
function lasting({ ticks }: Machine, { from, to }: TimeSpan, isTrue: (tick: Tick) => boolean): Lasting[] {
  const found = ticks.filter(isTrue);
  const ms = found.reduce((total, tick) => total + tick.ms, 0);
  const wholeMs = to - from;
  if (ms < leastMs || ms < wholeMs * leastShare) return [];
  return [{ time: `${Math.round(ms / 1000)} s of ${seconds(wholeMs)}`, forMs: ms, ofMs: wholeMs, ticks: found }];
}

function seconds(ms: Milliseconds): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : formatDuration(ms);
}

function mean(ticks: readonly Tick[], pick: (tick: Tick) => Share): Share {
  return ticks.reduce((total, tick) => total + pick(tick), 0) / ticks.length;
}

function percent(share: Share): string {
  return `${Math.round(share * 100)}%`;
}

function whoseMachine(runners: readonly RunnerId[]): string {
  if (runners.length === 1) return `Runner ${runners[0]}'s machine`;
  return `The machine of runners ${runners.slice(0, -1).join(', ')} and ${runners.at(-1)}`;
}

function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
