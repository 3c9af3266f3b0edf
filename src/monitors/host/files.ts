import { readFile } from 'node:fs/promises';
import type { CpuTimes } from './cpu-time.js';

/** The text of a file; undefined where there is none, or it may not be read. */
export async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** The number in a line of `name value` or `name: value kB`; undefined where there is none. */
export function numberIn(text: string | undefined, name: string): number | undefined {
  const found = new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

/** All memory of a machine, and how much of it is to be had without swapping; in bytes. */
export interface MachineMemory {
  readonly total: number;
  readonly available: number;
}

/** The memory of this machine. */
export async function machineMemory(): Promise<MachineMemory | undefined> {
  return memoryIn(await textOf('/proc/meminfo'));
}

/** The memory of a machine by its /proc/meminfo. */
export function memoryIn(text: string | undefined): MachineMemory | undefined {
  const [total, available] = [numberIn(text, 'MemTotal'), numberIn(text, 'MemAvailable')];
  return total === undefined || available === undefined ? undefined : { total: total * 1024, available: available * 1024 };
}

const ticksPerSecond = 100;

/** What /proc/stat says of each CPU that is switched on; undefined where it is none. */
export function cpuTimes(stat: string): ReadonlyMap<string, CpuTimes> | undefined {
  const cpus = stat.split('\n').flatMap((line) => {
    const [name = '', ...fields] = line.trim().split(/\s+/);
    // guest and guest_nice are in user and nice already.
    const ticks = fields.slice(0, 8).map(Number);
    if (!/^cpu\d+$/.test(name) || ticks.length < 8 || !ticks.every(Number.isFinite)) return [];
    const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, stolen = 0] = ticks;
    const seconds = (count: number) => count / ticksPerSecond;
    const busy = seconds(user + nice + system + irq + softirq);
    return [[name, { busy, idle: seconds(idle), waiting: seconds(waiting), stolen: seconds(stolen) }] as const];
  });
  return cpus.length === 0 ? undefined : new Map(cpus);
}
