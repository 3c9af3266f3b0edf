import type { RunnerId } from '../../core/ids.js';
import type { GeneratorSample } from '../../metrics/generators.js';
import type { Stretch } from '../../metrics/servers/series.js';
import type { Column } from './columns.js';
import { grid } from './grid.js';

/** What a runner's k6 and its machine used, at most. */
export interface Most {
  /** CPUs. */
  readonly cpus: number;
  /** How busy the machine was; 0 to 1. */
  readonly machineCpu: number;
  /** Bytes. */
  readonly memory: number;
}

/** What the fleet's machines did over time. */
export interface MachineCourse {
  readonly most: ReadonlyMap<RunnerId, Most>;
  /** How busy each machine was, by its name; 0 to 1. */
  readonly columns: readonly Column[];
}

/** Takes the lines of generators.ndjson in; what it takes does not grow with them. `load` is by the run's `t`. */
export function machineFold(load: Stretch): { add(sample: GeneratorSample): void; read(): MachineCourse } {
  const most = new Map<RunnerId, Most>();
  const cells = grid(load.to - load.from, 1000);
  return {
    add: ({ t, overMs, runner, host, processCpu, processMemory, machineCpu }) => {
      const { cpus, machineCpu: busiest, memory } = most.get(runner) ?? { cpus: 0, machineCpu: 0, memory: 0 };
      most.set(runner, {
        cpus: Math.max(cpus, processCpu),
        machineCpu: Math.max(busiest, machineCpu),
        memory: Math.max(memory, processMemory),
      });
      cells.add(host, { from: t - overMs - load.from, to: t - load.from }, machineCpu);
    },
    read: () => ({ most, columns: cells.read() }),
  };
}
