import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { besideFirst, canMakeGroups, startGroup, startPlainGroup } from '../servers/control-group.js';
import { outcomesOf, rowOf, watchedPlace } from '../support/watched-run.js';

const megabyte = 1024 * 1024;
const burn = 'while :; do :; done';
/** Takes memory, 4 MB at a time, until its group has used so many bytes less than its limit; then keeps it. */
const hog = (files: string, most: number) => `const { readFileSync } = require('node:fs');
const held = [];
const take = () => {
  if (Number(readFileSync('${files}', 'utf8')) < ${most}) held.push(Buffer.alloc(4 * 1024 * 1024, 1));
  setTimeout(take, 1);
};
take();`;

describe.skipIf(!canMakeGroups)('a control group (as root, with controllers for CPU and memory)', () => {
  test('in which a CPU burns fails exactly cpu, as its own accounting says; breach and end are told once each', async () => {
    const group = startGroup({ cpus: 0.2, bytes: 100 * megabyte });
    const at = await watchedPlace(
      `monitors: {app: {kind: host, cgroup: ${group.path}}, machine: {kind: host, here: true}}
critical: {app.cpu: {limit: < 80%, for: 5s}, memory: < 85%, machine.cpu: <= 100%}`,
      '34s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    const released = await at.event(({ type }) => type === 'fleet-released');
    const burner = group.start('/bin/sh', '-c', burn);
    const breached = await at.event(({ type }) => type === 'limit-breached');
    burner.kill('SIGKILL');
    const recovered = await at.event(({ type }) => type === 'limit-recovered');
    const said = await running.said;

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    const verdict = at.judged();
    expect(outcomesOf(verdict)).toEqual({ 'app.cpu': 'fail', memory: 'pass', 'machine.cpu': 'pass' });
    expect(rowOf(verdict, 'app.cpu').monitored).toMatchObject({ monitor: 'app', source: group.path, stat: 'held 5 s' });
    expect([breached.t - released.t < 15_000, recovered.t - breached.t < 15_000]).toEqual([true, true]);
    expect(at.told('limit-breached')).toMatchObject([{ limit: { name: 'app.cpu' }, monitor: 'app', source: group.path }]);
    expect(at.told('limit-recovered')).toHaveLength(1);
  });

  test('is as busy as its own accounting says', async () => {
    const group = startGroup({ cpus: 0.1, bytes: 100 * megabyte });
    group.start('/bin/sh', '-c', burn);
    const at = await watchedPlace(
      `monitors: {app: {kind: host, cgroup: ${group.path}}}\ncritical: {cpu: < 80%, app.throttled: < 50%, memory: < 85%}`,
      '10s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    const released = await at.event(({ type }) => type === 'fleet-released');
    const before = group.cpuSeconds();
    const ended = await at.event(({ type }) => type === 'load-ended');
    const used = group.cpuSeconds() - before;
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    // It may use a tenth of a CPU, which it gets on a busy machine, too.
    const share = used / ((ended.t - released.t) / 1000) / 0.1;
    expect(outcomesOf(at.judged())).toEqual({ cpu: 'fail', 'app.throttled': 'fail', memory: 'pass' });
    expect(Math.abs((rowOf(at.judged(), 'cpu').actual ?? 0) - share)).toBeLessThan(0.15);
  });

  test('that is short of memory fails exactly memory, and the abort rule on it ends the fleet', async () => {
    const bytes = 300 * megabyte;
    const group = startGroup({ cpus: 1, bytes });
    const at = await watchedPlace(
      `monitors: {app: {kind: host, cgroup: ${group.path}, every: 500ms, timeout: 500ms}}
critical: {memory: < 85%, cpu: <= 100%}
abort: [{when: memory > 85%, for: 3s}]`,
      '60s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    group.start(process.execPath, '-e', hog(group.memoryFile, bytes * 0.92));
    await at.event(({ type }) => type === 'fleet-stopped');
    const memory = group.memory();
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    const verdict = at.judged();
    expect(outcomesOf(verdict)).toEqual({ memory: 'fail', cpu: 'pass' });
    expect(rowOf(verdict, 'memory').monitored).toMatchObject({ monitor: 'app', source: group.path, stat: 'max' });
    expect(Math.abs((rowOf(verdict, 'memory').actual ?? 0) - memory / bytes)).toBeLessThan(0.03);
    expect(verdict.reasons[0]).toContain(`The abort rule memory > 85% held for 3s`);
    expect(at.summary().durationMs).toBeLessThan(30_000);
  });
});

describe.skipIf(besideFirst === undefined)(
  'a control group of version 2 (beside version 1, in a mount namespace where it alone is)',
  () => {
    test('is as busy as its own accounting says', async () => {
      const group = startPlainGroup(besideFirst ?? '');
      group.start('/bin/sh', '-c', burn);
      const at = await watchedPlace(`monitors: {app: {kind: host, cgroup: ${group.path}}}\ncritical: {cpu: < 1%}`, '8s');
      const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
      const script = 'mount --bind "$1" /sys/fs/cgroup && shift && exec "$@"';
      const loadctl = [process.execPath, bin, 'run', '--env', 'dev'];
      const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', besideFirst ?? '', ...loadctl], {
        cwd: at.folder,
        env: { ...process.env, ...at.env },
        stdio: 'ignore',
      });
      const over = new Promise((resolve) => child.once('close', resolve));
      const released = await at.event(({ type }) => type === 'fleet-released');
      const before = group.cpuSeconds();
      const ended = await at.event(({ type }) => type === 'load-ended');
      const used = group.cpuSeconds() - before;
      expect(await over).toBe(99);
      const share = used / ((ended.t - released.t) / 1000) / cpus().length;
      expect(share).toBeGreaterThan(0.05);
      expect(Math.abs((rowOf(at.judged(), 'cpu').actual ?? 0) - share)).toBeLessThan(0.08);
      expect(rowOf(at.judged(), 'cpu').monitored?.source).toBe(group.path);
    });
  },
);
