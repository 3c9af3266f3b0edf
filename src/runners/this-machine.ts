import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { World } from '../core/os.js';
import type { HostFacts } from '../plan/capacity.js';

/** What this machine has for load; what the system does not tell is missing. */
export async function readThisMachine({ execute, env }: Pick<World, 'execute' | 'env'>): Promise<HostFacts> {
  const [limits, meminfo, range] = await Promise.all([
    // Go raises its limit of open files to the hard one.
    execute({ file: '/bin/sh', args: ['-c', 'ulimit -Hn'], env: { PATH: env.PATH ?? '' } }),
    textOf('/proc/meminfo'),
    textOf('/proc/sys/net/ipv4/ip_local_port_range'),
  ]);
  const kilobytes = Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1]);
  const openFiles = Number(limits.stdout.trim() || Number.NaN);
  const [portsFrom, portsTo] = range.trim().split(/\s+/).map(Number);
  return {
    cpus: availableParallelism(),
    addresses: 1,
    ...(Number.isNaN(kilobytes) ? {} : { freeMemoryBytes: kilobytes * 1024 }),
    ...(Number.isNaN(openFiles) ? {} : { openFiles }),
    ...(portsFrom === undefined || portsTo === undefined ? {} : { portsFrom, portsTo }),
  };
}

function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => ''); // a system without /proc
}
