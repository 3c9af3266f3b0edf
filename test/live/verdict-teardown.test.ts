import { expect, test } from 'vitest';
import { startColours } from '../support/colours.js';
import { fleetPlace, imports, loadOf } from '../support/fleet-place.js';
import { workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const withSetup = `export function setup() { http.get(__ENV.BASE_URL + '/set-up'); return { token: 'abc' }; }
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };
export function teardown(data) { http.get(__ENV.BASE_URL + '/torn-down?token=' + data.token); }
`;

test('a runner killed in teardown(): another one tears down', async () => {
  const target = await startTarget();
  target.delays.set('/torn-down', 2000);
  const at = fleetPlace(target, { script: withSetup, workload: 'vus: 4, duration: 2s' });
  const run = at.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /torn-down') ?? 0, { timeout: 30_000 }).toBe(1);
  at.signal('1', 'SIGKILL');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
  expect(`${said.stdout}${said.stderr}`).not.toContain('threw');
  expect(said.stderr).toContain('teardown() runs again, on runner 2: parts of it may run twice');
  expect(said.stderr).toContain('teardown() ran on runner 2');
  expect(target.hits.get('GET /torn-down')).toBe(2);
});

test('the only runner killed in teardown(): what is left is said', async () => {
  const target = await startTarget();
  target.delays.set('/torn-down', 2000);
  const at = fleetPlace(target, { script: withSetup, workload: 'vus: 4, duration: 2s', runners: 'count: 1' });
  const run = at.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /torn-down') ?? 0, { timeout: 30_000 }).toBe(1);
  at.signal('1', 'SIGKILL');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
  expect(`${said.stdout}${said.stderr}`).not.toContain('threw');
  expect(said.stderr).toContain('teardown() may not have finished: the runner on which it ran was lost, and no other is left.');
  expect(said.stderr).toContain('Undo by hand what setup() did.');
});

test('a colour that switches after setup(): teardown() ran, no load was made', async () => {
  const colours = await startColours();
  const slow = withSetup.replace("return { token: 'abc' }", "sleep(1); return { token: 'abc' }");
  const at = workplace({
    'profiles/dev.yaml': `${colours.words(`url: "${colours.router.url}/colour", jsonPath: "$.live['the-colour'][0]", every: 10s`)}workload: {script: ../script.js, vus: 4, duration: 20s}\nrunners: {count: 2}\n`,
    'script.js': `${imports}${slow}`,
  });
  const run = at.start(['run', '--env', 'dev']);
  await expect.poll(() => colours.green.hits.get('GET /set-up') ?? 0, { timeout: 30_000 }).toBe(1);
  colours.says = 'green';

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 112 });
  expect(colours.green.hits.get('GET /torn-down')).toBe(1);
  expect(colours.green.hits.get('GET /work') ?? 0).toBe(0);
  expect((await at.loadctl(['verify'])).code).toBe(112);
});

test('a runner that is frozen when it is to be released: it is lost, its load is not made, teardown() ran, numbers are kept', async () => {
  const target = await startTarget();
  const script = withSetup.replace("return { token: 'abc' };", 'sleep(1.5);').replace(' + data.token', '');
  const at = fleetPlace(target, { script });
  const run = at.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /set-up') ?? 0, { timeout: 30_000 }).toBe(1);
  at.signal('2', 'SIGSTOP');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
  expect(said.stdout).toContain('Runner 2 was lost (it could not be released: its process is frozen)');
  expect(target.hits.get('GET /torn-down')).toBe(1);
  expect(at.summary().metrics.http_reqs?.values.count).toBeGreaterThan(1);
});

test('Ctrl-C while setup() runs: teardown() has what it is to undo', async () => {
  const target = await startTarget();
  const at = fleetPlace(target, { script: withSetup.replace('return { token', 'sleep(1); return { token') });
  const run = at.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /set-up') ?? 0, { timeout: 30_000 }).toBe(1);
  run.process.kill('SIGINT');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 105 });
  expect(target.hits.get('GET /torn-down')).toBe(1);
  expect(target.hits.get('GET /work') ?? 0).toBe(0);
});

test('a setup() that throws: teardown() is not run, and what is left is said', async () => {
  const target = await startTarget();
  const at = fleetPlace(target, { script: withSetup.replace('return { token', "throw new Error('half way'); return { token") });

  const said = await at.loadctl(['run', '--env', 'dev']);

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 107 });
  expect(said.stderr).toContain('half way');
  expect(said.stderr).toContain('teardown() did not run');
  expect(said.stderr).toContain('Undo by hand what setup() did.');
  expect(target.hits.get('GET /torn-down') ?? 0).toBe(0);
  expect((await at.loadctl(['verify'])).code).toBe(107);
});

test.each([
  ['setup', 100, /setup\(\) did not end within 1s/],
  ['teardown', 101, /teardown\(\) took too long/],
] as const)('%s() over its timeout ends with k6’s own %d', async (name, code, says) => {
  const target = await startTarget();
  const script = `export const options = { ${name}Timeout: '1s', vus: 2, duration: '1s' };\nexport function ${name}() { sleep(5); }\nexport default () => { sleep(0.1); };`;
  const at = fleetPlace(target, { script, workload: '' });

  const said = await at.loadctl(['run', '--env', 'dev']);

  expect(said, said.stdout + said.stderr).toMatchObject({ code });
  expect(said.stdout + said.stderr).toMatch(says);
  expect(said.stderr).toContain(`Raise ${name}Timeout`);
  expect((await at.loadctl(['verify'])).code).toBe(code);
});

test('an empty stop.json stops a run cleanly', async () => {
  const target = await startTarget();
  const at = fleetPlace(target, { script: withSetup });
  const run = at.start(['run', '--env', 'dev']);
  await at.event(loadOf(1000));
  at.file(`${at.latestRun().slice(at.folder.length + 1)}/stop.json`, '');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 105 });
  expect(said.stdout).toContain('The run was stopped (loadctl stop).');
  expect(target.hits.get('GET /torn-down')).toBe(1);
  expect(at.summary().metrics.http_reqs?.values.count).toBeGreaterThan(10);
});
