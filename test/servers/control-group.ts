import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';

const mount = '/sys/fs/cgroup';
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const isFirst = ['cpu', 'cpuacct', 'memory'].every((controller) => existsSync(`${mount}/${controller}/cgroup.procs`));
const isSecond = existsSync(`${mount}/cgroup.controllers`) && /cpu.*memory/.test(readFileSync(`${mount}/cgroup.subtree_control`, 'utf8'));

/** Whether groups with limits on CPU and memory can be made here: as root, where version 1 or 2 has both controllers. */
export const canMakeGroups = isRoot && (isFirst || isSecond);

/** Where version 2 is beside version 1, without its controllers: it still accounts for CPU. */
export const besideFirst = isRoot && isFirst && existsSync(`${mount}/unified/cgroup.procs`) ? `${mount}/unified` : undefined;

/** A control group of the test's own. */
export interface TestGroup {
  /** Its path below the root. */
  readonly path: string;
  /** Starts a program in it. */
  start(file: string, ...args: string[]): ChildProcess;
  /** CPU seconds that were used in it, by the kernel's own accounting. */
  cpuSeconds(): number;
  /** Bytes that are used in it, less files that the kernel would give back. */
  memory(): number;
  /** The file that says what is used in it, those files among it. */
  readonly memoryFile: string;
}

/** What is in a test's group gets what it may have, whatever else this machine is doing. */
const firstInLine = { shares: 262_144, weight: 10_000 };

/** Lets a process that runs already go before all others until the test is over. */
export function preferProcess(pid: number): void {
  const root = isFirst ? `${mount}/cpu` : mount;
  const folder = root + newPath();
  mkdirSync(folder);
  writeFileSync(`${folder}/${isFirst ? 'cpu.shares' : 'cpu.weight'}`, String(isFirst ? firstInLine.shares : firstInLine.weight));
  writeFileSync(`${folder}/cgroup.procs`, String(pid));
  onTestFinished(() => {
    writeFileSync(`${root}/cgroup.procs`, String(pid));
    rmdirSync(folder);
  });
}

let made = 0;

/** Makes one that may use so many CPUs and bytes; it is gone when the test is over, with what runs in it. */
export function startGroup({ cpus, bytes }: { readonly cpus: number; readonly bytes: number }): TestGroup {
  const path = newPath();
  const read = (file: string) => readFileSync(`${mount}/${file}`, 'utf8');
  const write = (file: string, value: number | string) => writeFileSync(`${mount}/${file}`, String(value));
  if (isFirst) {
    const folders = ['cpu', 'cpuacct', 'memory'].map((controller) => `${mount}/${controller}${path}`);
    const start = groupIn(folders);
    write(`cpu${path}/cpu.cfs_quota_us`, cpus * 100_000);
    write(`cpu${path}/cpu.shares`, firstInLine.shares);
    write(`memory${path}/memory.limit_in_bytes`, bytes);
    return {
      path,
      start,
      memoryFile: `${mount}/memory${path}/memory.usage_in_bytes`,
      cpuSeconds: () => Number(read(`cpuacct${path}/cpuacct.usage`)) / 1e9,
      memory: () => Number(read(`memory${path}/memory.usage_in_bytes`)) - field(read(`memory${path}/memory.stat`), 'total_inactive_file'),
    };
  }
  const start = groupIn([`${mount}${path}`]);
  write(`${path}/cpu.max`, `${cpus * 100_000} 100000`);
  write(`${path}/cpu.weight`, firstInLine.weight);
  write(`${path}/memory.max`, bytes);
  return {
    path,
    start,
    memoryFile: `${mount}${path}/memory.current`,
    cpuSeconds: () => field(read(`${path}/cpu.stat`), 'usage_usec') / 1e6,
    memory: () => Number(read(`${path}/memory.current`)) - field(read(`${path}/memory.stat`), 'inactive_file'),
  };
}

/** Makes a group of version 2 where that has no controllers, below the folder where it is mounted. */
export function startPlainGroup(folder: string): Omit<TestGroup, 'memory' | 'memoryFile'> {
  const path = newPath();
  const start = groupIn([`${folder}${path}`]);
  return { path, start, cpuSeconds: () => field(readFileSync(`${folder}${path}/cpu.stat`, 'utf8'), 'usage_usec') / 1e6 };
}

function newPath(): string {
  made += 1;
  return `/loadctl-test-${process.pid}-${made}`;
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
}

/** Makes the folders of a group, which are one group to whoever is started in it. */
function groupIn(folders: readonly string[]): TestGroup['start'] {
  const children: ChildProcess[] = [];
  for (const folder of folders) mkdirSync(folder);
  onTestFinished(async () => {
    for (const child of children) await end(child);
    for (const folder of folders) rmdirSync(folder);
  });
  const enter = folders.map((folder) => `echo $$ >${folder}/cgroup.procs`).join(' && ');
  return (file, ...args) => {
    const child = spawn('/bin/sh', ['-c', `${enter} && exec "$@"`, 'sh', file, ...args], { stdio: 'ignore' });
    children.push(child);
    return child;
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
