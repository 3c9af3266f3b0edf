import { cpus, freemem, platform, totalmem } from 'node:os';
import type { Spawn } from '../../core/os.js';
import { textOf } from '../runner/files.js';
import type { Vitals } from '../runner/types.js';
import { type LinuxTexts, readLinuxVitals } from '../runner/vitals.js';

/** What a process of this machine, and the machine, have used so far: from /proc on Linux, from `ps` on macOS. */
export async function localVitals(pid: number | undefined, spawn: Spawn): Promise<Vitals | undefined> {
  if (pid === undefined) return undefined;
  if (platform() === 'linux') return linuxVitals(pid);
  return platform() === 'darwin' ? macVitals(pid, spawn) : undefined;
}

async function linuxVitals(pid: number): Promise<Vitals | undefined> {
  const [process, machine, memory, limits] = await Promise.all([
    textOf(`/proc/${pid}/stat`),
    textOf('/proc/stat'),
    textOf('/proc/meminfo'),
    groupLimits(pid),
  ]);
  if (process === undefined || machine === undefined || memory === undefined) return undefined;
  return readLinuxVitals({ process, machine, memory, ...limits });
}

/** What the control group (v2) of a process of this machine allows it; `self` is loadctl's own. */
export async function groupLimits(pid: number | 'self'): Promise<Pick<LinuxTexts, 'cpuMax' | 'memoryMax' | 'memoryCurrent'>> {
  const group = `/sys/fs/cgroup${/^0::(.*)$/m.exec((await textOf(`/proc/${pid}/cgroup`)) ?? '')?.[1] ?? ''}`;
  const [cpuMax, memoryMax, memoryCurrent] = await Promise.all(
    ['cpu.max', 'memory.max', 'memory.current'].map((name) => textOf(`${group}/${name}`)),
  );
  return { cpuMax, memoryMax, memoryCurrent };
}

async function macVitals(pid: number, spawn: Spawn): Promise<Vitals | undefined> {
  const lines: string[] = [];
  const ps = { file: 'ps', args: ['-o', 'time=,rss=', '-p', String(pid)], env: { PATH: '/bin:/usr/bin' } };
  await spawn(ps, { stdout: (line) => lines.push(line) }).ended;
  const [, minutes, seconds, kilobytes] = /^\s*(\d+):([\d.]+)\s+(\d+)/.exec(lines[0] ?? '') ?? [];
  if (minutes === undefined) return undefined;
  const times = cpus().map((cpu) => cpu.times);
  const wholeMs = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return {
    processMs: (Number(minutes) * 60 + Number(seconds)) * 1000,
    processMemory: Number(kilobytes) * 1024,
    cpus: times.length,
    busyMs: wholeMs - times.reduce((sum, { idle }) => sum + idle, 0),
    wholeMs,
    memory: totalmem(),
    freeMemory: freemem(),
  };
}
