import type { RunnerId } from '../../core/ids.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { GeneratorSample } from '../../metrics/generators.js';
import type { ProcessLook, Vitals } from './types.js';

/** The texts that Linux tells {@link Vitals} in: files of /proc, and of the process's control group where it has one. */
export interface LinuxTexts extends GroupLimits {
  /** /proc/PID/stat */
  readonly process: string;
  /** /proc/stat */
  readonly machine: string;
  /** /proc/meminfo */
  readonly memory: string;
  /** How large a page is: memory of processes is counted in them. */
  readonly pageBytes?: number | undefined;
}

/** What a control group allows, in the words of its version 2: cpu.max, memory.max, memory.current, memory.stat; cpu.stat in those of its own. */
export interface GroupLimits {
  readonly cpuMax?: string | undefined;
  readonly cpuStat?: string | undefined;
  readonly memoryMax?: string | undefined;
  readonly memoryCurrent?: string | undefined;
  readonly memoryStat?: string | undefined;
}

/** Linux counts CPU time in hundredths of a second. */
const tickMs = 10;
const usualPageBytes = 4096;

/** Reads what Linux tells; undefined where it does not tell all of it (the process is gone). */
export function readLinuxVitals(texts: LinuxTexts): Vitals | undefined {
  const process = processIn(texts.process, texts.pageBytes);
  const machine = machineIn(texts.machine);
  const memory = readLinuxMemory(texts);
  if (process === undefined || machine === undefined || memory === undefined) return undefined;
  const cpuLimit = readCpuLimit(texts.cpuMax, machine.cpus);
  const throttledMs = readThrottled(texts.cpuStat);
  return {
    ...process,
    ...machine,
    ...memory,
    ...(cpuLimit === undefined ? {} : { cpuLimit }),
    ...(throttledMs === undefined ? {} : { throttledMs }),
  };
}

/** Of cpu.stat: microseconds in version 2, nanoseconds in version 1. Undefined where nothing is limited. */
function readThrottled(cpuStat = ''): Milliseconds | undefined {
  const [, word, time] = /^throttled_(usec|time) (\d+)$/m.exec(cpuStat) ?? [];
  return time === undefined ? undefined : Number(time) / (word === 'usec' ? 1e3 : 1e6);
}

/** Reads /proc/PID/stat as far as it tells what a process has done; undefined where it is none. */
export function readProcess(stat: string): ProcessLook | undefined {
  const process = processIn(stat);
  return process && { processMs: process.processMs, processState: process.processState };
}

/** The fields behind the process's name, which stands in brackets and may hold anything (proc_pid_stat(5)). */
function processIn(stat: string, pageBytes = usualPageBytes): Pick<Vitals, 'processMs' | 'processState' | 'processMemory'> | undefined {
  const [processState = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const fields = [Number.NaN, ...rest.map(Number)];
  const [user, system, pages] = [fields[11], fields[12], fields[21]];
  if (user === undefined || system === undefined || pages === undefined) return undefined;
  return { processMs: (user + system) * tickMs, processState, processMemory: pages * pageBytes };
}

/** user nice system idle iowait irq softirq steal: what is stolen by other guests of the host could not be had, either. */
function machineIn(stat: string): Pick<Vitals, 'cpus' | 'busyMs' | 'wholeMs'> | undefined {
  const lines = stat.split('\n').filter((line) => line.startsWith('cpu'));
  const times = lines[0]?.trim().split(/\s+/).slice(1, 9).map(Number);
  const [idle, waiting] = [times?.[3], times?.[4]];
  if (times === undefined || idle === undefined || waiting === undefined) return undefined;
  const whole = times.reduce((sum, time) => sum + time, 0);
  return { cpus: lines.length - 1, busyMs: (whole - idle - waiting) * tickMs, wholeMs: whole * tickMs };
}

/** The memory of the machine, or of the control group where that has less; what is only there to save reading files is free. */
export function readLinuxMemory({
  memory,
  memoryMax,
  memoryCurrent,
  memoryStat = '',
}: Pick<LinuxTexts, 'memory' | 'memoryMax' | 'memoryCurrent' | 'memoryStat'>): Pick<Vitals, 'memory' | 'freeMemory'> | undefined {
  const [whole, free] = [memoryLine(memory, 'MemTotal'), memoryLine(memory, 'MemAvailable')];
  if (whole === undefined || free === undefined) return undefined;
  const limit = Number(memoryMax);
  if (memoryMax === undefined || Number.isNaN(limit) || limit >= whole) return { memory: whole, freeMemory: free };
  const used = Number(memoryCurrent) - cachedIn(memoryStat);
  return { memory: limit, freeMemory: Math.min(free, Math.max(0, limit - used)) };
}

/** Pages of files, which go when memory is wanted; version 1 counts those of groups below under names of their own. */
function cachedIn(memoryStat: string): number {
  const bytes = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(memoryStat)?.[1] ?? Number.NaN);
  const both = (prefix: string) => bytes(`${prefix}active_file`) + bytes(`${prefix}inactive_file`);
  return [both('total_'), both('')].find((sum) => !Number.isNaN(sum)) ?? 0;
}

function memoryLine(meminfo: string, name: string): number | undefined {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** CPUs that a control group may use, where those are fewer: cpu.max is `200000 100000` (so many microseconds in so many), `max`, or -1 for the first. */
export function readCpuLimit(cpuMax: string | undefined, cpus: number): number | undefined {
  const [quota, period] = (cpuMax ?? '').trim().split(' ').map(Number);
  const limit = (quota ?? Number.NaN) / (period ?? Number.NaN);
  return limit > 0 && limit < cpus ? limit : undefined;
}

/** What was used between two looks at a runner. Undefined where no time lies between them, or a look did not see all of it. */
export function sampleBetween(
  runner: { readonly id: RunnerId; readonly host: string },
  before: { readonly t: Milliseconds; readonly vitals: Vitals },
  now: { readonly t: Milliseconds; readonly vitals: Vitals },
): GeneratorSample | undefined {
  const overMs = now.t - before.t;
  const wholeMs = now.vitals.wholeMs - before.vitals.wholeMs;
  if (overMs <= 0 || wholeMs <= 0) return undefined;
  const { cpus, cpuLimit, processMemory, memory, freeMemory } = now.vitals;
  const sample = {
    t: now.t,
    runner: runner.id,
    host: runner.host,
    overMs,
    processCpu: rounded((now.vitals.processMs - before.vitals.processMs) / overMs),
    processMemory,
    cpus,
    ...(cpuLimit === undefined ? {} : { cpuLimit }),
    ...throttledBetween(before.vitals, now.vitals),
    machineCpu: rounded((now.vitals.busyMs - before.vitals.busyMs) / wholeMs),
    memory,
    freeMemory,
  };
  return Object.values(sample).some(Number.isNaN) ? undefined : sample;
}

/** Left out where nothing was: most generators have no limit. */
function throttledBetween(before: Vitals, now: Vitals): Pick<GeneratorSample, 'throttledMs'> {
  const throttledMs = Math.round((now.throttledMs ?? 0) - (before.throttledMs ?? now.throttledMs ?? 0));
  return throttledMs > 0 ? { throttledMs } : {};
}

function rounded(share: number): number {
  return Math.round(share * 1000) / 1000;
}
