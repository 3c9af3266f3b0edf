import { readFile } from 'node:fs/promises';

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

/** What /proc/stat says of all CPUs together, in its hundredths of a second, and how many there are. */
export function cpuTimes(stat: string): { readonly times: readonly number[]; readonly cpus: number } | undefined {
  const lines = stat.split('\n').filter((line) => line.startsWith('cpu'));
  // guest and guest_nice are in user and nice already.
  const times = lines[0]?.trim().split(/\s+/).slice(1, 9).map(Number) ?? [];
  return times.length === 8 ? { times, cpus: lines.length - 1 } : undefined;
}
