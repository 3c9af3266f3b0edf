import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { groupProbe } from '../../src/monitors/host/control-group.js';

/** Files as kernels write them (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst), below a folder that is mounted nowhere. */
function mounted(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const megabyte = 1024 * 1024;
const path = '/system.slice/app.service';

/** Looks twice, four seconds apart. */
async function looked(files: Readonly<Record<string, string>>) {
  let now = 0;
  const probe = groupProbe(path, { clock: { elapsed: () => now } as Parameters<typeof groupProbe>[1]['clock'] }, mounted(files));
  await probe.look();
  now = 4000;
  const [look] = await probe.look();
  return look;
}

const second = (more: Readonly<Record<string, string>> = {}) => ({
  'cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
  [`.${path}/cpu.stat`]: `usage_usec 1500000
user_usec 1000000
system_usec 500000
nice_usec 0
core_sched.force_idle_usec 0
nr_periods 40
nr_throttled 12
throttled_usec 640000
nr_bursts 0
burst_usec 0
`,
  [`.${path}/cpu.max`]: '50000 100000\n',
  [`.${path}/memory.current`]: `${90 * megabyte}\n`,
  [`.${path}/memory.max`]: `${100 * megabyte}\n`,
  [`.${path}/memory.stat`]: `anon ${40 * megabyte}
file ${50 * megabyte}
kernel 1048576
inactive_anon 0
active_anon ${40 * megabyte}
inactive_file ${30 * megabyte}
active_file ${20 * megabyte}
unevictable 0
workingset_refault_file 7
`,
  ...more,
});

test('version 2: usage of its quota of the CPUs, and memory without inactive files of its limit', async () => {
  expect(await looked(second())).toEqual({
    source: path,
    values: { cpuBusy: 1.5, cpuTotal: 2, memoryUsed: 60 * megabyte, memoryTotal: 100 * megabyte, periods: 40, throttled: 12 },
  });
});

test('version 2 without limits is held against the machine; without the controller for memory it has none', async () => {
  const free = await looked(second({ [`.${path}/cpu.max`]: 'max 100000\n', [`.${path}/memory.max`]: 'max\n' }));
  expect(free?.values?.memoryTotal).toBeGreaterThan(100 * megabyte);
  expect((free?.values?.cpuTotal ?? 0) % 4).toBe(0);
  const { [`.${path}/memory.current`]: _, ...others } = second();
  const bare = await looked(others);
  expect(Object.keys(bare?.values ?? {})).not.toContain('memoryUsed');
});

test('version 1: a folder for each controller', async () => {
  const look = await looked({
    [`cpuacct${path}/cpuacct.usage`]: '1500000000\n',
    [`cpu${path}/cpu.cfs_quota_us`]: '50000\n',
    [`cpu${path}/cpu.cfs_period_us`]: '100000\n',
    [`cpu${path}/cpu.stat`]: 'nr_periods 40\nnr_throttled 12\nthrottled_time 640000000\n',
    [`memory${path}/memory.usage_in_bytes`]: `${90 * megabyte}\n`,
    [`memory${path}/memory.limit_in_bytes`]: `${100 * megabyte}\n`,
    [`memory${path}/memory.stat`]: `cache 1\ninactive_file 5\ntotal_inactive_file ${30 * megabyte}\n`,
  });
  expect(look?.values).toEqual({
    cpuBusy: 1.5,
    cpuTotal: 2,
    memoryUsed: 60 * megabyte,
    memoryTotal: 100 * megabyte,
    periods: 40,
    throttled: 12,
  });
});

test('a group that is not there names where it was looked for', async () => {
  const folder = mounted({ 'cgroup.controllers': 'cpu\n' });
  const probe = groupProbe('/gone', { clock: { elapsed: () => 0 } as Parameters<typeof groupProbe>[1]['clock'] }, folder);
  await expect(probe.look()).rejects.toThrow(`there is no control group /gone below ${folder}`);
});
