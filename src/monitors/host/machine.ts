import { LoadctlError } from '../../core/errors.js';
import type { Probe } from '../kind/types.js';
import { cpuTimes, machineMemory, textOf } from './files.js';

/** This machine, by /proc; in a container that is its host. */
export function machineProbe(): Probe {
  const source = 'this machine';
  return {
    source,
    drop: () => undefined,
    look: async () => {
      const [stat, load, memory] = await Promise.all([textOf('/proc/stat'), textOf('/proc/loadavg'), machineMemory()]);
      const cpu = cpuTimes(stat ?? '');
      if (cpu === undefined || memory === undefined) throw notLinux();
      const [, , , idle = 0, waiting = 0, , , stolen = 0] = cpu.times;
      const all = cpu.times.reduce((sum, time) => sum + time, 0);
      return [
        {
          source,
          values: {
            // Whoever waits for a disk, or for the host of this guest, uses no CPU.
            cpuBusy: all - idle - waiting - stolen,
            cpuTotal: all,
            cpuWaiting: waiting,
            cpuStolen: stolen,
            memoryUsed: memory.total - memory.available,
            memoryTotal: memory.total,
            load: Number.parseFloat(load ?? ''),
            cpus: cpu.cpus,
          },
        },
      ];
    },
  };
}

/** The error for what only Linux tells. */
export function notLinux(): LoadctlError {
  return new LoadctlError('unavailable', 'this system has no /proc to read CPU and memory from', {
    hint: 'Watch the machine by nodeExporter.',
  });
}
