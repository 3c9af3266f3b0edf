import type { MonitorValues } from '../../core/monitors.js';
import type { Clock } from '../../core/os.js';

/** The seconds that one CPU has spent in each way since whenever it is counted; what a system does not count is missing. */
export interface CpuTimes {
  readonly busy: number;
  readonly idle: number;
  readonly waiting?: number | undefined;
  readonly stolen?: number | undefined;
}

/** The counters of all CPUs together, by what each has told at the look before. */
export type CpuCounter = (cpus: ReadonlyMap<string, CpuTimes>) => MonitorValues;

/**
 * Adds up what each CPU spent between two looks. One that was switched on or off in between, whose machine was started again or is
 * another one behind the same name, is left out for that time: the sum of what counters stand at would jump.
 */
export function cpuCounter(clock: Pick<Clock, 'elapsed'>): CpuCounter {
  const sum = { busy: 0, idle: 0, waiting: 0, stolen: 0 };
  let [before, lookedAt]: [ReadonlyMap<string, CpuTimes>, number] = [new Map(), clock.elapsed()];
  return (cpus) => {
    const seconds = (clock.elapsed() - lookedAt) / 1000;
    for (const [name, now] of cpus) {
      const spent = spentBy(before.get(name), now, seconds);
      for (const way of ways) sum[way] += spent?.[way] ?? 0;
    }
    [before, lookedAt] = [cpus, clock.elapsed()];
    const counts = (way: 'waiting' | 'stolen') => [...cpus.values()].some((times) => times[way] !== undefined);
    return {
      // Whoever waits for a disk, or for the host of this guest, uses no CPU.
      cpuBusy: sum.busy,
      cpuTotal: sum.busy + sum.idle + sum.waiting + sum.stolen,
      ...(counts('waiting') ? { cpuWaiting: sum.waiting } : {}),
      ...(counts('stolen') ? { cpuStolen: sum.stolen } : {}),
      cpus: cpus.size,
    };
  };
}

const ways = ['busy', 'idle', 'waiting', 'stolen'] as const;
/** A CPU has no more time than passes: twice that, and what an answer is late by, belongs to another count. */
const most = (seconds: number) => 2 * seconds + 5;

function spentBy(before: CpuTimes | undefined, now: CpuTimes, seconds: number): Record<(typeof ways)[number], number> | undefined {
  if (before === undefined) return undefined;
  const grew = (way: (typeof ways)[number]) => (now[way] ?? 0) - (before[way] ?? 0);
  // The kernel itself takes some of these two back (proc_stat(5)).
  const spent = { busy: grew('busy'), idle: grew('idle'), waiting: Math.max(0, grew('waiting')), stolen: Math.max(0, grew('stolen')) };
  const all = ways.reduce((sum, way) => sum + spent[way], 0);
  return spent.busy < 0 || spent.idle < 0 || all > most(seconds) ? undefined : spent;
}
