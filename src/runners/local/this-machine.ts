import { availableParallelism } from 'node:os';
import type { World } from '../../core/os.js';
import type { HostFacts } from '../../plan/capacity.js';
import { textOf } from '../runner/files.js';
import { readCpuLimit, readLinuxMemory } from '../runner/vitals.js';
import { groupLimits } from './local-vitals.js';

/** What this machine has for load; what the system does not tell is missing. */
export async function readThisMachine({ execute, env }: Pick<World, 'execute' | 'env'>): Promise<HostFacts> {
  const [limits, means, range] = await Promise.all([
    // Go raises its limit of open files to the hard one.
    execute({ file: '/bin/sh', args: ['-c', 'ulimit -Hn'], env: { PATH: env.PATH ?? '' } }),
    readMeans(),
    textOf('/proc/sys/net/ipv4/ip_local_port_range'),
  ]);
  const openFiles = Number(limits.stdout.trim() || Number.NaN);
  const [portsFrom, portsTo] = (range ?? '').trim().split(/\s+/).map(Number);
  return {
    ...means,
    addresses: 1,
    ...(Number.isNaN(openFiles) ? {} : { openFiles }),
    ...(portsFrom === undefined || portsTo === undefined ? {} : { portsFrom, portsTo }),
  };
}

/** CPUs and free memory of this machine, or what loadctl's control group leaves of them. */
export async function readMeans(): Promise<Pick<HostFacts, 'cpus' | 'freeMemoryBytes'>> {
  const [meminfo, limits] = await Promise.all([textOf('/proc/meminfo'), groupLimits('self')]);
  const cpus = availableParallelism();
  const memory = readLinuxMemory({ memory: meminfo ?? '', ...limits });
  return { cpus: readCpuLimit(limits.cpuMax, cpus) ?? cpus, ...(memory === undefined ? {} : { freeMemoryBytes: memory.freeMemory }) };
}
