import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { canMakeHosts, startHosts } from '../servers/ssh-hosts.js';
import { rowOf, watchedPlace } from '../support/watched-run.js';

/** By a machine's /proc/stat: what was used since it started, of what there was. */
function procStat() {
  const [, ...times] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/);
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = times.map(Number);
  return { busy: user + nice + system + irq + softirq, all: user + nice + system + idle + iowait + irq + softirq + steal };
}

const profile = (hosts: readonly string[], limits: string) =>
  `monitors:\n  app: {kind: host, ssh: [${hosts.join(', ')}]}\ncritical: {${limits}}\nguards: {allow: [${hosts.join(', ')}], confirm: false}\n`;

describe.skipIf(!canMakeHosts())('machines by ssh', () => {
  test('say what their /proc says, each over one session of a real sshd, which leaves nothing behind', async () => {
    const network = await startHosts([{ name: 'app-1' }, { name: 'app-2' }]);
    const at = await watchedPlace(profile(['app-1', 'app-2'], 'cpu: <= 100%, memory: <= 100%, app.load: < 1000'), '10s');
    const running = at.start(['run', '--env', 'dev', '--set', `runners.sshConfig=${network.config}`], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    const before = procStat();
    const sessions = network.hosts.map(
      (host) =>
        host
          .processes()
          .split('\n')
          .filter((line) => /^sh -c while read/.test(line)).length,
    );
    const ended = await at.event(({ type }) => type === 'load-ended');
    const after = procStat();
    const said = await running.said;
    expect([0, 111], said.stdout + said.stderr).toContain(said.code);
    expect(sessions).toEqual([1, 1]);
    const share = (after.busy - before.busy) / (after.all - before.all);
    expect(Math.abs((rowOf(at.judged(), 'cpu').actual ?? 0) - share)).toBeLessThan(0.1);
    const total = Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
    const lines = at.lines().filter(({ t, values }) => values !== undefined && t < ended.t);
    for (const { values } of lines) expect(values?.memoryTotal).toBe(total);
    for (const name of ['app-1', 'app-2']) expect(lines.filter(({ source }) => source === name).length).toBeGreaterThan(7);
    await expect.poll(() => network.hosts.map((host) => host.processes()).join()).not.toContain('while read');
    expect(network.hosts.flatMap((host) => host.left())).toEqual([]);
  });

  test('one that is cut off: the load goes on, one warning, no data', async () => {
    const network = await startHosts([{ name: 'app-1' }]);
    const at = await watchedPlace(profile(['app-1'], 'cpu: <= 100%'), '14s');
    const running = at.start(['run', '--env', 'dev', '--set', `runners.sshConfig=${network.config}`], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    network.hosts[0]?.cutOff();
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(at.judged().criteria).toMatchObject([{ outcome: 'no-data' }]);
    expect(at.told('warned').filter(({ code }) => code === 'monitor-silent')).toMatchObject([{ monitor: 'app', source: 'app-1' }]);
    expect(at.summary().durationMs).toBeGreaterThan(13_500);
  });

  test('one that refuses the login, or whose key is unknown, is told at the first look, with its line and the fix', async () => {
    const network = await startHosts([
      { name: 'app-1', login: 'refused' },
      { name: 'app-2', key: 'unknown' },
    ]);
    const refusals = [
      ['app-1', /does not accept your login/, /ssh-copy-id/],
      ['app-2', /The host key of app-2 is unknown/, /compare the key's fingerprint/],
    ] as const;
    for (const [host, message, fix] of refusals) {
      const at = await watchedPlace(profile([host], 'cpu: <= 100%'));
      const said = await at.loadctl(['run', '--env', 'dev', '--set', `runners.sshConfig=${network.config}`], at.env);
      expect(said, said.stdout + said.stderr).toMatchObject({ code: 115 });
      expect(said.stderr).toMatch(new RegExp(`The monitor app \\(profiles/dev\\.yaml:\\d+\\) cannot look at ${host}`));
      expect(said.stderr).toMatch(message);
      expect(said.stderr).toMatch(fix);
    }
  });
});
