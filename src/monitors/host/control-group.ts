import { cpus } from 'node:os';
import { LoadctlError } from '../../core/errors.js';
import type { MonitorContext, Probe } from '../kind/types.js';
import { machineMemory, numberIn, textOf } from './files.js';
import { timeOf } from './time-of.js';

/** A control group of this machine, of version 1 or 2, by its own files and held against its own limits. */
export function groupProbe(path: string, { clock }: Pick<MonitorContext, 'clock'>, mount = '/sys/fs/cgroup'): Probe {
  const source = path;
  const passed = timeOf(clock);
  let isEmpty = false;
  return {
    source,
    drop: () => undefined,
    remarks: () => (isEmpty ? [withoutProcesses(source)] : []),
    look: async () => {
      const group = (await firstVersion(mount, path)) ?? (await secondVersion(mount, path));
      if (group === undefined) throw missing(mount, path);
      isEmpty = group.isEmpty;
      const memory = await machineMemory();
      const total = Math.min(group.memoryMax ?? Number.POSITIVE_INFINITY, memory?.total ?? Number.POSITIVE_INFINITY);
      const limit = Math.min(group.cpuLimit ?? Number.POSITIVE_INFINITY, cpus().length);
      return [
        {
          source,
          values: {
            cpuBusy: group.cpuSeconds,
            cpuTotal: passed(limit),
            ...(group.memoryUsed === undefined ? {} : { memoryUsed: group.memoryUsed, memoryTotal: total }),
            ...(group.periods === undefined || group.throttled === undefined ? {} : { periods: group.periods, throttled: group.throttled }),
          },
        },
      ];
    },
  };
}

interface Group {
  readonly cpuSeconds: number;
  /** How many CPUs it may use; missing where nothing limits it. */
  readonly cpuLimit?: number | undefined;
  readonly memoryUsed?: number | undefined;
  readonly memoryMax?: number | undefined;
  readonly periods?: number | undefined;
  readonly throttled?: number | undefined;
  /** No process is in it or below it, as far as that is known. */
  readonly isEmpty: boolean;
}

/** One folder for each controller. */
async function firstVersion(mount: string, path: string): Promise<Group | undefined> {
  const read = (controller: string, file: string) => textOf(`${mount}/${controller}${path}/${file}`);
  const usage = await read('cpuacct', 'cpuacct.usage');
  if (usage === undefined) return undefined;
  const [quota, period, stat, used, max, memoryStat] = await Promise.all([
    read('cpu', 'cpu.cfs_quota_us'),
    read('cpu', 'cpu.cfs_period_us'),
    read('cpu', 'cpu.stat'),
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.limit_in_bytes'),
    read('memory', 'memory.stat'),
  ]);
  return {
    isEmpty: false,
    cpuSeconds: Number(usage) / 1e9,
    cpuLimit: cpuLimit(quota, period),
    ...memoryOf(used, max, numberIn(memoryStat, 'total_inactive_file')),
    ...periodsOf(stat),
  };
}

/** One folder for all. */
async function secondVersion(mount: string, path: string): Promise<Group | undefined> {
  const read = (file: string) => textOf(`${mount}${path}/${file}`);
  const [stat, cpuMax, used, max, memoryStat, events] = await Promise.all(
    ['cpu.stat', 'cpu.max', 'memory.current', 'memory.max', 'memory.stat', 'cgroup.events'].map(read),
  );
  const micros = numberIn(stat, 'usage_usec');
  if (micros === undefined) return undefined;
  const [quota, period] = (cpuMax ?? '').trim().split(/\s+/);
  return {
    isEmpty: numberIn(events, 'populated') === 0,
    cpuSeconds: micros / 1e6,
    cpuLimit: cpuLimit(quota, period),
    ...memoryOf(used, max, numberIn(memoryStat, 'inactive_file')),
    ...periodsOf(stat),
  };
}

/** `max`, or a quota of -1, is no limit. */
function cpuLimit(quota: string | undefined, period: string | undefined): number | undefined {
  const share = Number(quota) / Number(period);
  return Number.isFinite(share) && share > 0 ? share : undefined;
}

/** What the kernel would give back at once is not used. */
function memoryOf(used: string | undefined, max: string | undefined, idleFiles = 0): Pick<Group, 'memoryUsed' | 'memoryMax'> {
  if (used === undefined) return {};
  const limit = Number(max);
  return { memoryUsed: Math.max(0, Number(used) - idleFiles), memoryMax: Number.isFinite(limit) && limit > 0 ? limit : undefined };
}

function periodsOf(stat: string | undefined): Pick<Group, 'periods' | 'throttled'> {
  return { periods: numberIn(stat, 'nr_periods'), throttled: numberIn(stat, 'nr_throttled') };
}

function withoutProcesses(source: string): string {
  return `${source}: no process is in this control group: it uses nothing. Correct its path where the service runs in another one.`;
}

function missing(mount: string, path: string): LoadctlError {
  return new LoadctlError('unavailable', `there is no control group ${path} below ${mount}`, {
    hint: 'Write its path below the root as /proc/PID/cgroup shows it: /system.slice/postgresql.service',
  });
}
