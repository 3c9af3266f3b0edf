import { readFile } from 'node:fs/promises';
import { cpus, endianness, freemem, platform, totalmem } from 'node:os';
import type { Spawn } from '../../core/os.js';
import { textOf } from '../runner/files.js';
import type { ProcessLook, Vitals } from '../runner/types.js';
import { type GroupLimits, readLinuxVitals, readProcess } from '../runner/vitals.js';

/** What a process of this machine, and the machine, have used so far: from /proc on Linux, from `ps` on macOS. */
export async function localVitals(pid: number | undefined, spawn: Spawn): Promise<Vitals | undefined> {
  if (pid === undefined) return undefined;
  if (platform() === 'linux') return linuxVitals(pid);
  return platform() === 'darwin' ? macVitals(pid, spawn) : undefined;
}

/** What a process of this machine has done; undefined where that takes a process of its own to see. */
export const glanceHere = platform() === 'linux' ? glance : undefined;

async function glance(pid: number | undefined): Promise<ProcessLook | undefined> {
  const stat = pid === undefined ? undefined : await textOf(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : readProcess(stat);
}

async function linuxVitals(pid: number): Promise<Vitals | undefined> {
  const [process, machine, memory, limits] = await Promise.all([
    textOf(`/proc/${pid}/stat`),
    textOf('/proc/stat'),
    textOf('/proc/meminfo'),
    groupLimits(pid),
  ]);
  if (process === undefined || machine === undefined || memory === undefined) return undefined;
  return readLinuxVitals({ process, machine, memory, ...limits, pageBytes: await pageBytes() });
}

/** What the control group of a process of this machine allows it; `self` is loadctl's own. */
export async function groupLimits(pid: number | 'self'): Promise<GroupLimits> {
  const { first, second } = groupFolders((await textOf(`/proc/${pid}/cgroup`)) ?? '');
  const inSecond = await Promise.all(
    ['cpu.max', 'memory.max', 'memory.current', 'memory.stat', 'cpu.stat'].map((name) => textIn(second, name)),
  );
  if (inSecond.some((text) => text !== undefined)) {
    const [cpuMax, memoryMax, memoryCurrent, memoryStat, cpuStat] = inSecond;
    return { cpuMax, memoryMax, memoryCurrent, memoryStat, cpuStat };
  }
  const ofCpu = await Promise.all(['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) => textIn(first.cpu, name)));
  const names = ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'memory.stat'];
  const [memoryMax, memoryCurrent, memoryStat] = await Promise.all(names.map((name) => textIn(first.memory, name)));
  const cpuStat = await textIn(first.cpu, 'cpu.stat');
  return { cpuMax: ofCpu.map((text) => (text ?? '').trim()).join(' '), memoryMax, memoryCurrent, memoryStat, cpuStat };
}

const mount = '/sys/fs/cgroup';

/** Where a process's control groups lie, by /proc/PID/cgroup: one for all in version 2, one for each controller in version 1. */
function groupFolders(cgroup: string): { second: string[]; first: { cpu: string[]; memory: string[] } } {
  const ofFirst = (controller: string) => {
    const path = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(cgroup)?.[1] ?? '';
    // In a container the path may be that of the host, which is not mounted there.
    return [`${mount}/${controller}${path}`, `${mount}/${controller}`];
  };
  return { second: [`${mount}${/^0::(.*)$/m.exec(cgroup)?.[1] ?? ''}`], first: { cpu: ofFirst('cpu'), memory: ofFirst('memory') } };
}

/** A file of the first of some folders that has it. */
async function textIn(folders: readonly string[], name: string): Promise<string | undefined> {
  const texts = await Promise.all(folders.map((folder) => textOf(`${folder}/${name}`)));
  return texts.find((text) => text !== undefined);
}

/** The kernel hands each process the size of a page: pairs of words, the type and the value (getauxval(3)). */
const pageSizeType = 6n;
let known: Promise<number | undefined> | undefined;

function pageBytes(): Promise<number | undefined> {
  known ??= readPageBytes();
  return known;
}

async function readPageBytes(): Promise<number | undefined> {
  const words = await readFile('/proc/self/auxv').catch(() => Buffer.alloc(0));
  const word = (at: number) => (endianness() === 'LE' ? words.readBigUInt64LE(at) : words.readBigUInt64BE(at));
  for (let at = 0; at + 16 <= words.length; at += 16) if (word(at) === pageSizeType) return Number(word(at + 8));
  return undefined;
}

async function macVitals(pid: number, spawn: Spawn): Promise<Vitals | undefined> {
  const lines: string[] = [];
  const ps = { file: 'ps', args: ['-o', 'state=,time=,rss=', '-p', String(pid)], env: { PATH: '/bin:/usr/bin' } };
  await spawn(ps, { stdout: (line) => lines.push(line) }).ended;
  const [, processState, minutes, seconds, kilobytes] = /^\s*([A-Z])\S*\s+(\d+):([\d.]+)\s+(\d+)/.exec(lines[0] ?? '') ?? [];
  if (processState === undefined) return undefined;
  const times = cpus().map((cpu) => cpu.times);
  const wholeMs = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return {
    processMs: (Number(minutes) * 60 + Number(seconds)) * 1000,
    processState,
    processMemory: Number(kilobytes) * 1024,
    cpus: times.length,
    busyMs: wholeMs - times.reduce((sum, { idle }) => sum + idle, 0),
    wholeMs,
    memory: totalmem(),
    freeMemory: freemem(),
  };
}
