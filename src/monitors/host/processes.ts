import { lookup } from 'node:dns/promises';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { cpus, networkInterfaces } from 'node:os';
import { LoadctlError } from '../../core/errors.js';
import { isLoopback, placeText } from '../../plan/hosts.js';
import type { WatchedPlace } from '../../plan/monitors.js';
import type { MonitorContext, Probe } from '../kind/types.js';
import { machineMemory, numberIn, textOf } from './files.js';
import { timeOf } from './time-of.js';

/** The processes of this machine that listen at a place, with all that they started: a service, a database and its backends. */
export function processesProbes(places: readonly WatchedPlace[], { clock }: Pick<MonitorContext, 'clock'>): Probe[] {
  return places.map(({ name, host, port }) => {
    const source = `${name} at ${placeText({ host, port })}`;
    const passed = timeOf(clock);
    let guarded = 0;
    let [spent, before, roots] = [0, undefined as readonly Used[] | undefined, [] as readonly number[]];
    return {
      source,
      drop: () => undefined,
      remarks: () => (guarded === 0 ? [] : [sharedCounted(source, guarded)]),
      look: async () => {
        const memory = await machineMemory();
        let used = await usedBy(roots);
        if (used.length < roots.length || roots.length === 0) {
          if (!(await isHere(host))) throw elsewhere(source);
          roots = listeners(Number(port));
          used = await usedBy(roots);
        }
        if (used.length === 0 || memory === undefined) throw nobody(source);
        spent += before === undefined ? 0 : spentBetween(before, used);
        before = used;
        guarded = used.filter(({ sharedIsOwn }) => sharedIsOwn).length;
        const memoryUsed = Math.min(
          memory.total,
          used.reduce((sum, { bytes }) => sum + bytes, 0),
        );
        return [{ source, values: { cpuBusy: spent, cpuTotal: passed(cpus().length), memoryUsed, memoryTotal: memory.total } }];
      },
    };
  });
}

/** Whether a host is this machine. Another one may listen at a port at which something listens here, too. */
async function isHere(host: string): Promise<boolean> {
  if (isLoopback(host) || host === '0.0.0.0') return true;
  const own = new Set(Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)));
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.some(({ address }) => own.has(address) || isLoopback(address));
}

function sharedCounted(source: string, count: number): string {
  return `${source}: of ${count} of its processes, of another user, memory that they share is counted for each. Run loadctl as the same user or as root for their share.`;
}

function elsewhere(source: string): LoadctlError {
  return new LoadctlError('unavailable', `${source} is not on this machine`, { hint: 'Watch it by nodeExporter or ssh.' });
}

function nobody(source: string): LoadctlError {
  return new LoadctlError('unavailable', `no process of this machine that loadctl may look at listens for ${source}`, {
    hint: 'Start it, run loadctl as the same user or as root, or watch it by nodeExporter.',
  });
}

/*
 * Hundreds of processes are read at each look. The kernel has the answers at hand: to wait for one takes ten times as long as to
 * read it (31 ms against 3 for 230 processes).
 */

/** What a read of /proc comes to; undefined where the process is gone, or somebody else's. */
function now<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const textNow = (path: string) => now(() => readFileSync(path, 'utf8')) ?? '';

/** The ids of the processes that listen at a port. */
function listeners(port: number): number[] {
  const inodes = new Set(['tcp', 'tcp6'].flatMap((name) => listeningInodes(textNow(`/proc/net/${name}`), port)));
  return inodes.size === 0 ? [] : processIds().filter((pid) => holdsOne(pid, inodes));
}

/** `sl local_address rem_address st … inode`; state 0A is LISTEN. */
function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === '0A' && local.endsWith(`:${hex}`) ? [inode] : [];
  });
}

function processIds(): number[] {
  return (now(() => readdirSync('/proc')) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);
}

function holdsOne(pid: number, inodes: ReadonlySet<string>): boolean {
  const files = now(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  const links = files.map((file) => now(() => readlinkSync(`/proc/${pid}/fd/${file}`)) ?? '');
  return links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ''));
}

interface Used {
  readonly pid: number;
  /** Its own CPU seconds, and with those of the children that it has buried. */
  readonly own: number;
  readonly all: number;
  readonly bytes: number;
  /** What it shares with others is counted as its own: more cannot be read. */
  readonly sharedIsOwn: boolean;
}

/**
 * CPU seconds that were used between two looks. Who came and went in between is in what its parent has buried; a parent that
 * buries nobody leaves only what is there to be counted.
 */
export function spentBetween(
  before: readonly Pick<Used, 'pid' | 'own' | 'all'>[],
  after: readonly Pick<Used, 'pid' | 'own' | 'all'>[],
): number {
  const known = new Map(before.map(({ pid, own }) => [pid, own]));
  const own = after.reduce((sum, one) => sum + Math.max(0, one.own - (known.get(one.pid) ?? 0)), 0);
  const sumOf = (all: typeof before) => all.reduce((sum, one) => sum + one.all, 0);
  return Math.max(own, sumOf(after) - sumOf(before));
}

const ticksPerSecond = 100;

/** What these processes and all that they started use; memory that several share is counted once. */
async function usedBy(roots: readonly number[]): Promise<Used[]> {
  if (roots.length === 0) return [];
  const stats = processIds().map((pid) => ({ pid, ...fieldsOf(textNow(`/proc/${pid}/stat`)) }));
  const wanted = new Set(roots);
  for (let size = -1; size !== wanted.size; ) {
    size = wanted.size;
    for (const { pid, parent } of stats) if (wanted.has(parent)) wanted.add(pid);
  }
  return Promise.all(
    stats
      .filter(({ pid }) => wanted.has(pid))
      .map(async ({ pid, own, all }) => {
        const proportional = numberIn(await textOf(`/proc/${pid}/smaps_rollup`), 'Pss');
        // Of another user's process its own share may not be read, of one that has ended there is none.
        const whole = proportional === undefined ? numberIn(await textOf(`/proc/${pid}/status`), 'VmRSS') : undefined;
        return { pid, own, all, bytes: (proportional ?? whole ?? 0) * 1024, sharedIsOwn: whole !== undefined };
      }),
  );
}

/** Its parent, and its CPU seconds: utime and stime, and with cutime and cstime (proc_pid_stat(5)). */
function fieldsOf(stat: string): { readonly parent: number; readonly own: number; readonly all: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (to: number) => fields.slice(11, to).reduce((sum, field) => sum + Number(field), 0) / ticksPerSecond;
  return { parent: Number(fields[1]), own: seconds(13), all: seconds(15) };
}
