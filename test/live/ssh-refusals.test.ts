import { expect, test } from 'vitest';
import { canMakeHosts, type HostKind, startHosts } from '../servers/ssh-hosts.js';
import { workplace } from '../support/loadctl.js';
import { endlessScript, sshProfile } from '../support/ssh-profile.js';
import { startTarget } from '../support/target.js';

const work = 'vus: 2, duration: 1s';

interface Refusal {
  readonly title: string;
  readonly kind: HostKind;
  readonly runners?: string;
  readonly workload?: string;
  readonly says: readonly (string | RegExp)[];
}

const refusals: Refusal[] = [
  { title: 'without k6', kind: { name: 'h2', k6: 'missing' }, says: ['No k6 found on h2.', 'runners.hostK6: bring'] },
  {
    title: 'with another host key',
    kind: { name: 'h2', key: 'wrong' },
    says: ['The host key of h2 is not the one that is known', "ssh-keygen -R 'h2'"],
  },
  {
    title: 'with an unknown host key',
    kind: { name: 'h2', key: 'unknown' },
    says: ['The host key of h2 is unknown.', /ssh -F \S+ h2 true/],
  },
  {
    title: 'that lets nobody in',
    kind: { name: 'h2', login: 'refused' },
    says: ['h2 does not accept your login without a prompt.', 'ssh-copy-id'],
  },
  {
    title: 'that forwards nothing',
    kind: { name: 'h2', forwarding: 'refused' },
    says: ['The sshd of h2 refuses port forwarding', 'AllowTcpForwarding yes'],
  },
  {
    title: 'with a k6 elsewhere than the profile says',
    kind: { name: 'h2' },
    runners: 'hostK6: /opt/nowhere/k6',
    says: [/No k6 found on h[12]\./],
  },
  {
    title: 'with fewer ports than VUs',
    kind: { name: 'h2', ports: [40_000, 40_019] },
    workload: 'vus: 60, duration: 1s',
    says: ['30 VUs on h2 hold a connection each, and one address has 20 ports', 'Use 3 hosts'],
  },
];

test.runIf(canMakeHosts()).each(refusals)(
  'a host $title: 115 with the fix, and nothing was run',
  async ({ kind, runners = '', workload = work, says }) => {
    const network = await startHosts([{ name: 'h1' }, kind]);
    const target = await startTarget(undefined, network.address);
    const place = workplace({
      'profiles/dev.yaml': sshProfile(target.url, network, { count: 2, workload, runners }),
      'script.js': endlessScript,
    });

    const said = await place.loadctl(['run', '--env', 'dev']);

    for (const text of says)
      expect(said.stderr).toMatch(typeof text === 'string' ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) : text);
    expect(said.code).toBe(115);
    expect(target.hits.get('GET /work')).toBeUndefined();
    expect(network.hosts.flatMap(({ left, k6 }) => [...left(), ...k6()])).toEqual([]);
  },
);

test.runIf(canMakeHosts())('a host that is out of reach: 115, and Ctrl-C on the way to it ends at once', async () => {
  const network = await startHosts([{ name: 'h1' }, { name: 'h2' }]);
  const target = await startTarget(undefined, network.address);
  const place = workplace({
    'profiles/dev.yaml': sshProfile(target.url, network, { count: 2, workload: work }),
    'script.js': endlessScript,
  });
  network.hosts[1]?.cutOff();

  const patient = await place.loadctl(['run', '--env', 'dev']);
  expect(patient.stderr).toContain('h2 cannot be reached.');
  expect(patient.code).toBe(115);

  const run = place.start(['run', '--env', 'dev']);
  await run.until('start 2 runners');
  const begun = Date.now();
  run.process.kill('SIGINT');
  expect((await run.said).code).toBe(105);
  expect(Date.now() - begun).toBeLessThan(5000);
  await expect.poll(() => network.hosts.flatMap(({ left }) => left()), { timeout: 5000 }).toEqual([]);
});

test.runIf(canMakeHosts())('hostK6: bring takes this machine’s k6 along for the run', async () => {
  const network = await startHosts([{ name: 'h1', k6: 'missing' }]);
  const target = await startTarget(undefined, network.address);
  const profile = sshProfile(target.url, network, { count: 1, workload: work, runners: 'hostK6: bring' });
  const place = workplace({ 'profiles/dev.yaml': profile, 'script.js': endlessScript });

  const said = await place.loadctl(['run', '--env', 'dev']);

  expect(said.code).toBe(0);
  expect(network.hosts[0]?.left()).toEqual([]);
});

test.runIf(canMakeHosts())('keep: true leaves the folder of the runners on the host, without the environment', async () => {
  const network = await startHosts([{ name: 'h1' }]);
  const target = await startTarget(undefined, network.address);
  const place = workplace({
    'profiles/dev.yaml': sshProfile(target.url, network, { count: 1, workload: work, runners: 'keep: true' }),
    'script.js': endlessScript,
  });

  await place.loadctl(['run', '--env', 'dev']);

  expect(network.hosts[0]?.left()).toEqual([expect.stringMatching(/^loadctl-/)]);
  expect(network.hosts[0]?.k6()).toEqual([]);
});
