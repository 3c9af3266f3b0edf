import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { canHaveAddresses, ownAddresses } from '../servers/own-addresses.js';
import { workplace } from '../support/loadctl.js';
import { hasTerminals, startInTerminal } from '../support/pty.js';
import { startTarget } from '../support/target.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const short = ['--set', 'workload.duration=3s'];

test('run URL looks at that page without a profile, says how much load it makes and what comes next', async () => {
  const target = await startTarget();
  const at = workplace();
  const said = await at.loadctl(['run', `${target.url}/shop/carts?sort=new`, ...short]);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(said.stderr).toContain(
    `a first look, judged by no limits: 10 VUs, each a GET every 1s, for 3s. Next, a profile: loadctl init --url ${target.url}\n`,
  );
  expect(said.stdout).toMatch(/^ {2}GET \/shop\/carts +\d+ /m);
  // 10 VUs, of whom each asks once a second: three or four times each in 3 s.
  expect(target.hits.get('GET /shop/carts')).toBeGreaterThanOrEqual(30);
  expect(target.hits.get('GET /shop/carts')).toBeLessThanOrEqual(50);
  expect(existsSync(join(at.folder, 'profiles'))).toBe(false);
  const { plan } = JSON.parse(readFileSync(join(at.latestRun(), 'run.json'), 'utf8'));
  expect(plan.load).toEqual({ vus: 10, duration: 3000 });
});

test('its 30 s are what is planned, and a page that answers with errors is told', async () => {
  const target = await startTarget();
  target.statuses.set('/broken', 500);
  const at = workplace();
  const said = await at.loadctl(['run', `${target.url}/broken`, '--set', 'workload.duration=2s', '--json']);
  expect(JSON.parse(said.stdout).measured.endpoints).toMatchObject([{ name: 'GET /broken' }]);
  expect(said.stderr).toMatch(/answered 500/);
  const whole = await at.loadctl(['run', `${target.url}/`, '--plan', 'x.plan']);
  expect(whole).toMatchObject({ code: 2, stderr: expect.stringContaining('names a profile as well') });
  const named = await at.loadctl(['run', `${target.url}/`, '--env', 'dev']);
  expect(named).toMatchObject({ code: 2, stderr: expect.stringContaining(`--set target.url=${target.url}/`) });
});

const beyond = canHaveAddresses() ? test : test.skip;

beyond('what is not this machine is confirmed first: host and load are shown, and nothing is sent before', async () => {
  const [address = ''] = ownAddresses(1);
  const target = await startTarget(undefined, address);
  const at = workplace();
  const { port } = new URL(target.url);
  const name = `${address.replaceAll('.', '-')}-${port}`;
  const refused = await at.loadctl(['run', `${target.url}/`, ...short]);
  expect(refused).toMatchObject({ code: 112, stdout: '' });
  expect(refused.stderr).toContain(`beyond this machine: ${address}`);
  expect(refused.stderr).toMatch(/10 VUs for 3s/);
  expect([...target.hits]).toEqual([]);

  const [, confirmation = ''] = /LOADCTL_CONFIRM=(\S+)/.exec(refused.stderr) ?? [];
  const confirmed = await at.loadctl(['run', `${target.url}/`, ...short], { LOADCTL_CONFIRM: confirmation });
  expect(confirmed, confirmed.stderr).toMatchObject({ code: 0 });
  expect(confirmation).toMatch(new RegExp(`^${name}@`));
  expect(target.hits.get('GET /')).toBeGreaterThanOrEqual(30);
  const more = await at.loadctl(['run', `${target.url}/`, '--set', 'workload.vus=101', ...short], { LOADCTL_CONFIRM: confirmation });
  expect(more).toMatchObject({ code: 112, stderr: expect.stringContaining('guards.maxVus allows 100 VUs') });
});

const inTerminal = canHaveAddresses() && hasTerminals() ? test : test.skip;

inTerminal('on a terminal the name that is shown is typed back', async () => {
  const [address = ''] = ownAddresses(1);
  const target = await startTarget(undefined, address);
  const at = workplace();
  const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
  const name = new URL(target.url).host.replaceAll(/[.:]/g, '-');
  const run = startInTerminal([process.execPath, bin, 'run', target.url, ...short], at.folder, { PATH, HOME, LOADCTL_K6 });
  await run.until(`to continue (${name})`);
  expect([...target.hits]).toEqual([]);
  run.type(`${name}\r`);
  expect(await run.exitCode, run.shown()).toBe(0);
  expect(target.hits.get('GET /')).toBeGreaterThanOrEqual(30);
});

test('a URL is asked for as it was typed: no variable is filled in, and what HTTP does not allow is encoded', async () => {
  const target = await startTarget();
  const at = workplace();
  const said = await at.loadctl(['run', `${target.url}/\${HOME}/ünï?q=ü`, '--set', 'workload.duration=2s', '--json']);
  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(target.hits.get('GET /$%7BHOME%7D/%C3%BCn%C3%AF')).toBeGreaterThanOrEqual(20);
});
