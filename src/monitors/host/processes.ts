import { readdir, readlink } from 'node:fs/promises';
import { cpus } from 'node:os';
import { LoadctlError } from '../../core/errors.js';
import { placeText } from '../../plan/hosts.js';
import type { WatchedPlace } from '../../plan/monitors.js';
import type { MonitorContext, Probe } from '../kind/types.js';
import { machineMemory, numberIn, textOf } from './files.js';
import { timeOf } from './time-of.js';

/** The processes of this machine that listen at a place, with all that they started: a service, a database and its backends. */
export function processesProbes(places: readonly WatchedPlace[], { clock }: Pick<MonitorContext, 'clock'>): Probe[] {
  return places.map(({ name, host, port }) => {
    const source = `${name} at ${placeText({ host, port })}`;
    const passed = timeOf(clock);
    let [spent, known, roots] = [0, new Map<number, number>(), [] as readonly number[]];
    return {
      source,
      drop: () => undefined,
      look: async () => {
        const memory = await machineMemory();
        let used = await usedBy(roots);
        if (used.length < roots.length || roots.length === 0) {
          roots = await listeners(Number(port));
          used = await usedBy(roots);
        }
        if (used.length === 0 || memory === undefined) throw nobody(source);
        // What they had used at the first look was used before; one that came since began at nothing.
        const begun = known.size > 0;
        for (const { pid, seconds } of used) spent += Math.max(0, seconds - (known.get(pid) ?? (begun ? 0 : seconds)));
        known = new Map(used.map(({ pid, seconds }) => [pid, seconds]));
        const memoryUsed = used.reduce((sum, { bytes }) => sum + bytes, 0);
        return [{ source, values: { cpuBusy: spent, cpuTotal: passed(cpus().length), memoryUsed, memoryTotal: memory.total } }];
      },
    };
  });
}

function nobody(source: string): LoadctlError {
  return new LoadctlError('unavailable', `no process of this machine that loadctl may look at listens for ${source}`, {
    hint: 'Start it, run loadctl as the same user or as root, or watch it by nodeExporter.',
  });
}

/** The ids of the processes that listen at a port. */
async function listeners(port: number): Promise<number[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => textOf(`/proc/net/${name}`)));
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table ?? '', port)));
  if (inodes.size === 0) return [];
  const found = await Promise.all((await processIds()).map(async (pid) => ((await holdsOne(pid, inodes)) ? [pid] : [])));
  return found.flat();
}

/** `sl local_address rem_address st … inode`; state 0A is LISTEN. */
function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === '0A' && local.endsWith(`:${hex}`) ? [inode] : [];
  });
}

async function processIds(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function holdsOne(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ''));
}

interface Used {
  readonly pid: number;
  readonly seconds: number;
  readonly bytes: number;
}

const ticksPerSecond = 100;

/** What these processes and all that they started use; memory that several share is counted once. */
async function usedBy(roots: readonly number[]): Promise<Used[]> {
  if (roots.length === 0) return [];
  const stats = await Promise.all(
    (await processIds()).map(async (pid) => ({ pid, ...fieldsOf((await textOf(`/proc/${pid}/stat`)) ?? '') })),
  );
  const wanted = new Set(roots);
  for (let size = -1; size !== wanted.size; ) {
    size = wanted.size;
    for (const { pid, parent } of stats) if (wanted.has(parent)) wanted.add(pid);
  }
  return Promise.all(
    stats
      .filter(({ pid }) => wanted.has(pid))
      .map(async ({ pid, ticks }) => {
        const proportional = numberIn(await textOf(`/proc/${pid}/smaps_rollup`), 'Pss');
        return { pid, seconds: ticks / ticksPerSecond, bytes: (proportional ?? 0) * 1024 };
      }),
  );
}

/** Its parent, and its own CPU time with that of children it has buried (proc_pid_stat(5)). */
function fieldsOf(stat: string): { readonly parent: number; readonly ticks: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 13).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), ticks };
}
