import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Capacity, capacityOf, type FleetLoad, type HostFacts, type LoadHost, usualHost } from '../../src/plan/capacity.js';
import { fleetLoad, loadHosts } from '../../src/plan/load-hosts.js';
import { makePlan } from '../../src/plan/plan.js';
import { diskFiles, loadProfile } from '../../src/profile/load.js';
import { capacityText } from '../../src/reporters/sentences/capacity.js';
import { backendFacts } from '../../src/runners/index.js';

const big: HostFacts = { cpus: 64, freeMemoryBytes: 256e9, openFiles: 1_000_000, portsFrom: 1024, portsTo: 65_535, addresses: 1 };
const host = (runners: number, facts: HostFacts = big, name = 'load-1'): LoadHost => ({ name, runners, facts });
const closed = (vus: number, more: Partial<FleetLoad> = {}): FleetLoad => ({ vus, open: false, requestsPerSecond: 1, ...more });
const words = ({ problems }: Capacity) => problems.map((problem) => `${problem.certain ? 'certain' : 'likely'}: ${capacityText(problem)}`);

describe('what does not fit', () => {
  const ports = { ...big, portsFrom: 32_768, portsTo: 60_999 };
  test.each<[name: string, load: FleetLoad, hosts: LoadHost[], said: string[], enough: Capacity['enough']]>([
    ['all fits', closed(1000, { requestsPerSecond: 1000 }), [host(2)], [], { hosts: 1, runners: 1 }],
    [
      'ports: 30,000 VUs from one address',
      closed(30_000),
      [host(2, ports)],
      [
        'certain: 30,000 VUs on load-1 hold a connection each, and one address has 28,232 ports for connections to one address and port of the target. Use 2 hosts, or give it more ports (sysctl net.ipv4.ip_local_port_range).',
      ],
      { hosts: 2, runners: 2 },
    ],
    ['the last VU that has a port', closed(28_232), [host(1, ports)], [], { hosts: 1, runners: 1 }],
    ['two hosts have twice the ports', closed(30_000), [host(1, ports), host(1, ports, 'load-2')], [], { hosts: 2, runners: 2 }],
    ['two addresses, too', closed(30_000), [host(1, { ...ports, addresses: 2 })], [], { hosts: 1, runners: 1 }],
    [
      'ports in an open model, whose VUs need not all be used',
      { vus: 30_000, open: true, requestsPerSecond: 1 },
      [host(1, ports)],
      [
        'likely: 30,000 VUs on load-1 hold a connection each, and one address has 28,232 ports for connections to one address and port of the target. Use 2 hosts, or give it more ports (sysctl net.ipv4.ip_local_port_range).',
      ],
      { hosts: 2, runners: 2 },
    ],
    [
      'open files of one process',
      closed(5000),
      [host(2, { ...big, openFiles: 1024 })],
      [
        'certain: A runner on load-1 needs 2,550 open files for 2,500 VUs, and may have 1,024. Raise the limit (ulimit -n), or use 6 runners.',
      ],
      { hosts: 1, runners: 6 },
    ],
    [
      'memory',
      closed(10_000),
      [host(1, { ...big, freeMemoryBytes: 1e9 })],
      ['likely: 10,000 VUs on load-1 take about 2.5 GB of memory (250 kB each), and 1 GB are free. Use 3 hosts, or fewer VUs.'],
      { hosts: 3, runners: 3 },
    ],
    [
      'CPU',
      closed(1000, { requestsPerSecond: 37_500 }),
      [host(1, { ...big, cpus: 2 })],
      [
        'likely: 37,500 requests/s on load-1 take about 5.4 CPUs (7,000 requests/s each, at 70%), and it has 2. Use 3 hosts, or ask for less.',
      ],
      { hosts: 3, runners: 3 },
    ],
    ['a host of which nothing is known', closed(1_000_000, { requestsPerSecond: 1e6 }), [host(1, {})], [], { hosts: 1, runners: 1 }],
    [
      'ports to one address of the target, which has two',
      closed(30_000, { targetAddresses: 2 }),
      [host(1, ports)],
      [],
      { hosts: 1, runners: 1 },
    ],
  ])('%s', (_, load, hosts, said, enough) => {
    const capacity = capacityOf(load, hosts);
    expect(words(capacity)).toEqual(said);
    expect(capacity.enough).toEqual(enough);
  });
});

test('where nobody knows how many requests there will be, nothing is said to be enough', () => {
  const load: FleetLoad = { vus: 30_000, open: false };
  const { enough, problems } = capacityOf(load, [host(1, { ...big, portsFrom: 32_768, portsTo: 60_999 })]);
  expect(enough).toBeUndefined();
  expect(problems.map(capacityText).join()).toContain('Use 2 hosts');
});

test('each runner and host gets its share', () => {
  const load = closed(100, { iterationsPerSecond: 100, requestsPerSecond: 125 });
  const { runner, hosts } = capacityOf(load, [host(2), host(1, big, 'load-2')]);
  expect(runner).toMatchObject({ vus: 34, connections: 34, openFiles: 84, memoryBytes: 58_500_000 });
  expect(hosts.map(({ name, needs }) => [name, needs.vus, Math.round(needs.requestsPerSecond ?? 0)])).toEqual([
    ['load-1', 67, 83],
    ['load-2', 34, 42],
  ]);
});

async function shipped(environment: string, set: string[] = []) {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const loaded = loadProfile({ environment }, { cwd, env: {}, files: diskFiles, secrets: 'optional', set });
  const backend = await backendFacts(loaded.profile.runners);
  const plan = makePlan({ ...loaded, backend });
  const load = fleetLoad(plan, undefined);
  if (load === undefined) throw new Error(`${environment} has no load`);
  return capacityOf(load, loadHosts(backend, plan.fleet.count, big));
}

describe('the shipped profiles', () => {
  test('prod fits its 30 pods; three such hosts would do at 70% of their CPUs, and one would not', async () => {
    const { hosts, runner, problems, enough } = await shipped('prod');
    expect(hosts.length).toBe(30);
    expect(runner).toMatchObject({ vus: 1000, iterationsPerSecond: 1000, requestsPerSecond: 1250, connections: 1000 });
    expect(problems).toEqual([]);
    expect(enough).toEqual({ hosts: 3, runners: 3 });
    const alone = await shipped('prod', ['runners.count=1']);
    expect(alone.problems.map(({ certain }) => certain)).toEqual([true, false, false]);
    expect(alone.problems[0]).toMatchObject({ of: 'ports', ports: 28_232 });
  });

  test('staging deals its runners to the hosts in turn', async () => {
    const { hosts } = await shipped('staging', ['runners.count=3']);
    expect(hosts.map(({ name, runners, facts }) => [name, runners, facts])).toEqual([
      ['load-1.staging.example.com', 2, usualHost],
      ['load-2.staging.example.com', 1, usualHost],
    ]);
  });

  test('dev is for this machine', async () => {
    expect((await shipped('dev')).hosts.map(({ name, runners }) => [name, runners])).toEqual([['this machine', 2]]);
  });
});
