import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { processesOf } from '../support/agents.js';
import { type FleetPlace, fleetPlace, loadOf } from '../support/fleet-place.js';
import { startTarget, type Target } from '../support/target.js';

describe('no pass without the load', () => {
  test('all runners lost one after the other, each within what is allowed: invalid', async () => {
    const target = await startTarget();
    const at = fleetPlace(target, { runners: 'count: 2, onLost: continue, allowedLoss: 60%', workload: 'vus: 4, duration: 10s' });
    const run = at.start(['run', '--env', 'dev']);
    await at.event(loadOf(3000));
    at.signal('1', 'SIGKILL');
    await run.until('the others go on');
    await at.event(loadOf(6000));
    at.signal('2', 'SIGKILL');

    const said = await run.said;

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(at.verdict()).toMatchObject({ verdict: 'invalid', exitCodes: [111] });
    expect((await at.loadctl(['verify'])).code).toBe(111);
  });

  test('the only runner that has VUs is lost, which is allowed: that another one reached its end is no load', async () => {
    const target = await startTarget();
    const options = `export const options = { scenarios: { a: { executor: 'constant-vus', vus: 1, duration: '8s' } } };`;
    const script = `${options}\nexport default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };`;
    const at = fleetPlace(target, { script, workload: '', runners: 'count: 2, onLost: continue, allowedLoss: 60%' });
    const run = at.start(['run', '--env', 'dev']);
    await at.event(loadOf(4000));
    at.signal('1', 'SIGKILL');

    const said = await run.said;

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(said.stdout).toContain('No runner that had VUs came to the planned end');
    expect((await at.loadctl(['verify'])).code).toBe(111);
  });

  test('a runner that dies while it writes its numbers, after an allowed loss, counts', async () => {
    const target = await startTarget();
    const at = fleetPlace(target, {
      runners: 'count: 2, onLost: continue, allowedLoss: 60%',
      workload: 'vus: 4, duration: 5s',
      secondK6: `"$K6" "$@" & k6=$!\ntrap 'kill -KILL $k6' TERM\nwait $k6\nexit $?`,
    });
    const run = at.start(['run', '--env', 'dev'], at.env);
    await at.event(loadOf(2000));
    at.signal('1', 'SIGKILL');

    const said = await run.said;

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(said.stdout).toContain('Runner 2 was lost');
  });

  test('a runner that somebody else ended by SIGTERM is lost, and leaves its own numbers', async () => {
    const target = await startTarget();
    const at = fleetPlace(target, {});
    const run = at.start(['run', '--env', 'dev']);
    await at.event(loadOf(2000));
    at.signal('2', 'SIGTERM');

    const said = await run.said;

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(said.stdout).toMatch(/Runner 2 was lost \(ended from outside, exit code 105\).*its own numbers are in the result/);
    expect(said.stdout + said.stderr).not.toContain('test.abort()');
    const outcomes = at.events().filter(({ type }) => type === 'runner-ended');
    expect(outcomes).toMatchObject([
      { runner: '1', cause: 'stopped', numbers: 'own' },
      { runner: '2', cause: 'ended-outside', numbers: 'own', exitCode: 105 },
    ]);
    expect(target.hits.get('GET /torn-down')).toBe(1);
  });

  test('a runner that somebody else ended over its REST API is lost, and leaves its own numbers', async () => {
    const target = await startTarget();
    const at = fleetPlace(target, {});
    const run = at.start(['run', '--env', 'dev']);
    await at.event(loadOf(1000));
    const { pid } = await at.event(({ type, runner }) => type === 'runner-started' && runner === '2');
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const body = JSON.stringify({ data: { type: 'status', id: 'default', attributes: { stopped: true } } });
    await fetch(`http://${args[args.indexOf('--address') + 1]}/v1/status`, { method: 'PATCH', body });

    const said = await run.said;

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(said.stdout).toMatch(/Runner 2 was lost \(ended from outside, exit code 103\).*its own numbers are in the result/);
    expect(said.stdout + said.stderr).not.toContain('test.abort()');
  });

  test('test.abort() and a browser that cannot start have their own reasons', async () => {
    const target = await startTarget();
    const abort = fleetPlace(target, { script: `export default () => { sleep(0.3); exec.test.abort('enough'); };` });
    const scenario = `{ executor: 'shared-iterations', vus: 2, iterations: 4, options: { browser: { type: 'chromium' } } }`;
    const browser = fleetPlace(target, {
      workload: '',
      script: `import { browser } from 'k6/browser';\nexport const options = { scenarios: { ui: ${scenario} } };\nexport default async () => { await browser.newPage(); };`,
    });

    const said = await Promise.all([abort.loadctl(['run', '--env', 'dev']), browser.loadctl(['run', '--env', 'dev'])]);

    expect(said.map(({ code }) => code)).toEqual([108, 108]);
    expect(said[0]?.stdout).toMatch(/The script called test\.abort\(\) in runner \d: enough/);
    expect(said[1]?.stdout).toMatch(/k6 aborted the test in runner \d: .*browser/);
    expect(said[1]?.stdout).not.toContain('test.abort()');
  });

  test('a second Ctrl-C is one sentence', async () => {
    const target = await startTarget();
    target.delays.set('/torn-down', 20_000);
    const at = fleetPlace(target, { runners: 'count: 3' });
    const run = at.start(['run', '--env', 'dev']);
    await at.event(loadOf(1000));
    run.process.kill('SIGINT');
    await expect.poll(() => target.hits.get('GET /torn-down') ?? 0, { timeout: 10_000 }).toBe(1);
    run.process.kill('SIGTERM');

    const said = await run.said;

    expect(said.code).toBe(105);
    expect(`${said.stdout}${said.stderr}`).not.toMatch(/Runner \d was lost|runner \d was lost/);
    expect(said.stderr.match(/ended at once/g)).toHaveLength(1);
    expect(said.stderr).toContain('Runners 1, 2 and 3 ended at once, before writing a summary');
  });
});

test('a frozen runner is lost as one', async () => {
  const target = await startTarget();
  const at = fleetPlace(target, {});
  const run = at.start(['run', '--env', 'dev']);
  await at.event(loadOf(1000));
  const before = at.events().at(-1)?.t ?? 0;
  at.signal('2', 'SIGSTOP');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
  expect(said.stdout).toContain('Runner 2 was lost (its process is frozen)');
  const stopped = at.events().find(({ type }) => type === 'fleet-stopped');
  expect((stopped?.t ?? 0) - before).toBeLessThan(3500);
  expect(at.events()).toContainEqual(expect.objectContaining({ type: 'runner-ended', runner: '2', cause: 'frozen', numbers: 'pushed' }));
});

test('a k6 whose end nobody is left to tell: the run comes to its verdict with what it wrote, and leaves nothing behind', async () => {
  const target = await startTarget();
  const at = orphaning(target, 'vus: 6, duration: 4s');
  const run = at.start(['run', '--env', 'dev']);
  await at.event(loadOf(1000));
  at.signalParent('1', 'SIGKILL');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  // Which is seen first, that it is gone or that it answers no more, is chance.
  expect(said.stderr).toMatch(/runner 1 was lost \((its process ended; how is unknown|it does not answer any more)\)/);
  const outcomes = at.events().filter(({ type }) => type === 'runner-ended');
  expect(outcomes).toMatchObject([
    { runner: '1', cause: expect.stringMatching(/^(gone|silent)$/), numbers: 'own' },
    { runner: '2', cause: 'reached-end', numbers: 'own' },
    { runner: '3', cause: 'reached-end', numbers: 'own' },
  ]);
  expect(at.verdict()).toMatchObject({ verdict: 'pass' });
  expect(leftOf(at)).toEqual([]);
});

test('a k6 that is killed, and what was to tell of it before: lost like any other, and the others go on', async () => {
  const target = await startTarget();
  const at = orphaning(target, 'vus: 6, duration: 5s');
  const run = at.start(['run', '--env', 'dev']);
  await at.event(loadOf(1000));
  at.signalParent('1', 'SIGKILL');
  at.signal('1', 'SIGKILL');
  await run.until('the others go on');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  const first = at.events().find(({ type, runner }) => type === 'runner-ended' && runner === '1');
  expect(first).toMatchObject({ cause: expect.stringMatching(/^(gone|silent)$/), numbers: 'pushed' });
  expect(leftOf(at)).toEqual([]);
});

test('a first Ctrl-C ends a run with a k6 whose end nobody is left to tell', async () => {
  const target = await startTarget();
  const at = orphaning(target, 'vus: 6, duration: 60s');
  const run = at.start(['run', '--env', 'dev']);
  await at.event(loadOf(1000));
  at.signalParent('1', 'SIGKILL');
  run.process.kill('SIGINT');

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 105 });
  const seen = ['GET /work', 'GET /torn-down'].map((of) => target.hits.get(of) ?? 0);
  expect(at.summary().metrics.http_reqs?.values.count).toBeLessThanOrEqual(seen.reduce((sum, hits) => sum + hits, 0));
  expect(leftOf(at)).toEqual([]);
});

function orphaning(target: Pick<Target, 'url'>, workload: string): FleetPlace {
  return fleetPlace(target, { runners: 'count: 3, onLost: continue, allowedLoss: 50%', workload, profile: 'sla: {errors: < 1%}' });
}

/** What is left of a run in its temporary folder, and of its processes. */
function leftOf(at: FleetPlace): string[] {
  return [...readdirSync(join(at.folder, 'tmp')), ...processesOf(at.folder)];
}

test('a runner that is lost does not switch an abort rule off', async () => {
  const target = await startTarget();
  const at = fleetPlace(target, {
    runners: 'count: 2, onLost: continue, allowedLoss: 60%',
    workload: 'vus: 4, duration: 20s',
    profile: 'abort: [{when: throughput < 5/s, for: 3s, after: 1s}]',
  });
  const run = at.start(['run', '--env', 'dev']);
  await at.event(loadOf(4000));
  at.signal('2', 'SIGKILL');
  await run.until('the others go on');
  await at.event(loadOf(8000));
  target.delays.set('/work', 60_000);

  const said = await run.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(said.stdout).toContain('The abort rule throughput < 5/s held for 3s');
});
