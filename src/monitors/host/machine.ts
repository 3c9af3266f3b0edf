import { LoadctlError } from '../../core/errors.js';
import type { MonitorValues } from '../../core/monitors.js';
import type { MonitorContext, Probe } from '../kind/types.js';
import { type CpuCounter, cpuCounter } from './cpu-time.js';
import { cpuTimes, memoryIn, textOf } from './files.js';

/** This machine, by /proc; in a container that is its host. */
export function machineProbe({ clock }: Pick<MonitorContext, 'clock'>): Probe {
  const source = 'this machine';
  const counted = cpuCounter(clock);
  return {
    source,
    drop: () => undefined,
    look: async () => {
      const [stat, memory, load] = await Promise.all([textOf('/proc/stat'), textOf('/proc/meminfo'), textOf('/proc/loadavg')]);
      const values = machineValues({ stat, memory, load }, counted);
      if (values === undefined) throw notLinux('this system');
      return [{ source, values }];
    },
  };
}

/** What files of /proc say, as texts: stat, meminfo and loadavg. */
export interface MachineTexts {
  readonly stat: string | undefined;
  readonly memory: string | undefined;
  readonly load: string | undefined;
}

/** The values of a machine; undefined where it is no Linux. */
export function machineValues({ stat, memory, load }: MachineTexts, counted: CpuCounter): MonitorValues | undefined {
  const cpu = cpuTimes(stat ?? '');
  const bytes = memoryIn(memory);
  if (cpu === undefined || bytes === undefined) return undefined;
  return {
    ...counted(cpu),
    memoryUsed: bytes.total - bytes.available,
    memoryTotal: bytes.total,
    load: Number.parseFloat(load ?? ''),
  };
}

/** The error for what only Linux tells. */
export function notLinux(machine: string): LoadctlError {
  return new LoadctlError('unavailable', `${machine} has no /proc to read CPU and memory from`, {
    hint: 'Watch the machine by nodeExporter.',
  });
}
