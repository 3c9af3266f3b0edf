import { LoadctlError } from '../../core/errors.js';
import type { MonitorValues } from '../../core/monitors.js';
import type { Probe } from '../kind/types.js';
import { cpuTimes, memoryIn, textOf } from './files.js';

/** This machine, by /proc; in a container that is its host. */
export function machineProbe(): Probe {
  const source = 'this machine';
  return {
    source,
    drop: () => undefined,
    look: async () => {
      const [stat, memory, load] = await Promise.all([textOf('/proc/stat'), textOf('/proc/meminfo'), textOf('/proc/loadavg')]);
      const values = machineValues({ stat, memory, load });
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
export function machineValues({ stat, memory, load }: MachineTexts): MonitorValues | undefined {
  const cpu = cpuTimes(stat ?? '');
  const bytes = memoryIn(memory);
  if (cpu === undefined || bytes === undefined) return undefined;
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = cpu.times;
  const all = cpu.times.reduce((sum, time) => sum + time, 0);
  return {
    // Whoever waits for a disk, or for the host of this guest, uses no CPU.
    cpuBusy: all - idle - waiting - stolen,
    cpuTotal: all,
    cpuWaiting: waiting,
    cpuStolen: stolen,
    memoryUsed: bytes.total - bytes.available,
    memoryTotal: bytes.total,
    load: Number.parseFloat(load ?? ''),
    cpus: cpu.cpus,
  };
}

/** The error for what only Linux tells. */
export function notLinux(machine: string): LoadctlError {
  return new LoadctlError('unavailable', `${machine} has no /proc to read CPU and memory from`, {
    hint: 'Watch the machine by nodeExporter.',
  });
}
