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
  expect(said.stdout).toContain('enough: 3 such hosts with 3 runners');
  const { capacity } = JSON.parse((await place().loadctl(['plan', '--env', 'there', '--json'])).stdout) as { capacity: unknown };
  expect(capacity).toMatchObject({ runner: { vus: 30_000 }, enough: { hosts: 3, runners: 3 } });
});

test('doctor holds the load of a profile against this machine', async () => {
  expect((await place().loadctl(['doctor'])).stdout).not.toContain('capacity');
  expect((await place().loadctl(['doctor', '--env', 'here'])).stdout).toMatch(/^ {2}capacity +a runner +this machine +has$/m);
  const elsewhere = await place().loadctl(['doctor', '--env', 'here', '--set', 'workload.vus=200000']);
  expect(elsewhere).toMatchObject({ code: 115 });
  expect(elsewhere.stdout).toMatch(/✖ 200,000 VUs on this machine|✖ A runner on this machine needs/);
});

test('the scenarios of a script are held against the hosts, too; where no rate is known nothing is called enough', async () => {
  const script = (scenario: string) => `export const options = { scenarios: { all: ${scenario} } };\nexport default () => {};\n`;
  const own = (scenario: string) =>
    workplace({
      'profiles/here.yaml': 'target: {url: http://127.0.0.1:1}\nworkload: {script: k6.js}\nrunners: {count: 1}\n',
      'profiles/k6.js': script(scenario),
    });
  const closed = own("{ executor: 'constant-vus', vus: 100, duration: '1m' }");
  for (const command of ['plan', 'doctor']) {
    const { code, stdout } = await closed.loadctl([command, '--env', 'here']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^ {2}connections +100 +100 +\S+ ports$/m)]);
    expect(stdout).not.toContain('enough:');
  }
  const open = "{ executor: 'constant-arrival-rate', rate: 40, duration: '1m', preAllocatedVUs: 50, maxVUs: 200000 }";
  const { code, stdout } = await own(open).loadctl(['doctor', '--env', 'here']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/200,000 VUs on this machine/)]);
});

test('doctor says why it does not know the load of a script', async () => {
  const files = {
    'profiles/here.yaml': 'target: {url: http://127.0.0.1:1}\nworkload: {script: k6.js}\n',
    'profiles/k6.js': "throw new Error('no accounts');\nexport default () => {};\n",
  };
  const { code, stdout } = await workplace(files).loadctl(['doctor', '--env', 'here']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/script +\? what it makes is unknown, because .*no accounts/)]);
  expect(stdout).not.toMatch(/^ {2}connections/m);
});

test('doctor names a script that no k6 can read, with the place in it', async () => {
  const files = {
    'profiles/here.yaml': 'target: {url: http://127.0.0.1:1}\nworkload: {script: k6.js}\n',
    'profiles/k6.js': 'export default function( {',
  };
  const { code, stdout } = await workplace(files).loadctl(['doctor', '--env', 'here']);
  expect([code, stdout]).toEqual([
    115,
    expect.stringMatching(/script +✖ k6 cannot use the script: .*k6\.js: Line 1:\d+ [\s\S]*Fix .*k6\.js/),
  ]);
});
