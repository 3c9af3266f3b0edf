import { readFile } from 'node:fs/promises';
import type { Execute, ProcessMark } from '../core/os.js';

/** What tells this process from all that had its id or will have it: when it started, and in which life of the machine. */
export async function markOf(pid: number, execute: Execute): Promise<ProcessMark> {
  const [started, boot] = await Promise.all([startOf(pid, execute), bootOf(execute)]);
  return { pid, ...(started === undefined ? {} : { started: started.at }), ...(boot === undefined ? {} : { boot }) };
}

/** Whether that very process still runs here; by its id alone where no more is known of it. `isThere` says whether an id is in use. */
export async function isRunning(mark: ProcessMark, isThere: (pid: number) => boolean, execute: Execute): Promise<boolean> {
  if (!isThere(mark.pid)) return false;
  const [started, boot] = await Promise.all([startOf(mark.pid, execute), bootOf(execute)]);
  if (mark.boot !== undefined && boot !== undefined && mark.boot !== boot) return false;
  if (started?.isOver) return false;
  return mark.started === undefined || started === undefined || mark.started === started.at;
}

interface Start {
  readonly at: string;
  /** It has ended, and its parent has not looked yet. */
  readonly isOver: boolean;
}

/** In the system's own words: ticks since the machine's start on Linux, a date elsewhere. */
async function startOf(pid: number, execute: Execute): Promise<Start | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat !== undefined) {
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third on: proc_pid_stat(5)
    return { at: fields[19] ?? '', isOver: /^[ZX]$/.test(fields[0] ?? '') };
  }
  const said = (await execute({ file: 'ps', args: ['-o', 'stat=,lstart=', '-p', String(pid)], env })).stdout.trim();
  const [, state = '', at] = /^(\S+)\s+(.+)$/.exec(said) ?? [];
  return at === undefined ? undefined : { at, isOver: state.startsWith('Z') };
}

const env = { PATH: '/bin:/usr/bin:/sbin:/usr/sbin', LC_ALL: 'C' };

async function bootOf(execute: Execute): Promise<string | undefined> {
  const id = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined);
  if (id !== undefined) return id.trim();
  const { exitCode, stdout } = await execute({ file: 'sysctl', args: ['-n', 'kern.boottime'], env });
  return exitCode === 0 ? /sec = (\d+)/.exec(stdout)?.[1] : undefined;
}
