import { expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

const profile = (backend: string, more = '') => `
target: {url: http://127.0.0.1:1}
workload: {script: k6.js, vus: 30000, duration: 1m, pacing: 1s, steps: {"": [GET /]}}
runners: {backend: ${backend}, count: 1${more}}
guards: {allow: [load-1, load-2]}
`;
const place = () =>
  workplace({
    'profiles/here.yaml': profile('local').replace('30000', '100'),
    'profiles/there.yaml': profile('ssh', ', hosts: [load-1, load-2]'),
    'profiles/k6.js': '',
  });

test('plan shows what a runner and this machine have to carry', async () => {
  const { stdout } = await place().loadctl(['plan', '--env', 'here']);
  expect(stdout).toMatch(/^ {2}capacity +a runner +this machine +has$/m);
  expect(stdout).toMatch(/^ {2}connections +100 +100 +\S+ ports$/m);
  expect(stdout).toMatch(/^ {2}enough: 1 such host with 1 runner$/m);
});

test('plan of other hosts says what it takes them for, and what would do', async () => {
  const said = await place().loadctl(['plan', '--env', 'there']);
  expect(said.stdout).toContain('has: what Linux gives by default, on 2 CPUs with 4 GB; no host was asked.');
  expect(said.stdout).toMatch(/✖ 30,000 VUs on load-1 hold a connection each, and one address has 28,232 ports/);
  expect(said.stdout).toContain('enough: 2 such hosts with 2 runners');
  const { capacity } = JSON.parse((await place().loadctl(['plan', '--env', 'there', '--json'])).stdout) as { capacity: unknown };
  expect(capacity).toMatchObject({ runner: { vus: 30_000 }, enough: { hosts: 2, runners: 2 } });
});

test('doctor holds the load of a profile against this machine', async () => {
  expect((await place().loadctl(['doctor'])).stdout).not.toContain('capacity');
  expect((await place().loadctl(['doctor', '--env', 'here'])).stdout).toMatch(/^ {2}capacity +a runner +this machine +has$/m);
  const elsewhere = await place().loadctl(['doctor', '--env', 'here', '--set', 'workload.vus=200000']);
  expect(elsewhere).toMatchObject({ code: 115 });
  expect(elsewhere.stdout).toMatch(/✖ 200,000 VUs on this machine|✖ A runner on this machine needs/);
});
