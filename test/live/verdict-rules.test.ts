import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fleetPlace } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

test('a rate over the whole test counts the time of setup(), as k6 does', async () => {
  const target = await startTarget();
  const script = `export const options = { vus: 2, duration: '4s', thresholds: { http_reqs: ['rate>20'] } };
export function setup() { for (let n = 0; n < 40; n += 1) { http.get(__ENV.BASE_URL + '/set-up'); sleep(0.1); } }
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.1); };`;
  const at = fleetPlace(target, { script, workload: '' });

  const said = await at.loadctl(['run', '--env', 'dev']);

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(said.stdout).toMatch(/http_reqs rate +> 20\/s +1[0-9](\.\d+)?\/s/);
});

/** Half of what a rate holds is false, in groups of its own; so few iterations that only the live data can end it early. */
const shared = (what: string, limit: string) => `export const options = { vus: 4, duration: '60s', thresholds: { ${limit} } };
const won = new Rate('won');
export default () => {
  group('good', () => { ${what.replaceAll('OK', 'true')} });
  group('bad', () => { ${what.replaceAll('OK', 'false')} });
  http.get(__ENV.BASE_URL + '/work');
  sleep(0.2);
};`;

describe('abortOnFail on a rate that several groups share', () => {
  test.each([
    ['checks', `check(null, { 'is fine OK': () => OK });`, 'checks: [{ threshold: "rate>0.9", abortOnFail: true }]'],
    ['a Rate of the script', 'won.add(OK);', 'won: [{ threshold: "rate>0.9", abortOnFail: true }]'],
  ])('%s: half of it fails, and the test ends', async (_, what, limit) => {
    const target = await startTarget();
    const at = fleetPlace(target, { script: shared(what, limit), workload: '' });

    const said = await at.loadctl(['run', '--env', 'dev']);

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    expect(said.stdout).toMatch(/The script's threshold .* > 90% was crossed after [\d.]+s: it was (between )?(50|4\d|5\d)/);
  });

  test('where it cannot be told, that is told', async () => {
    const target = await startTarget();
    const script = `export const options = { vus: 4, duration: '14s', thresholds: { won: [{ threshold: "rate>0.9", abortOnFail: true }] } };
const won = new Rate('won');
export default () => {
  won.add(__ENV.LOADCTL_RUNNER === '1');
  http.get(__ENV.BASE_URL + '/work');
  sleep(0.2);
};`;
    const at = fleetPlace(target, { script, workload: '' });

    const said = await at.loadctl(['run', '--env', 'dev']);

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    expect(said.stderr).toContain('won rate > 90% cannot be decided from live data');
  });
});

test('k6’s own variables that -e hands in have no effect on the summary, as in k6; the script sees them', async () => {
  const target = await startTarget();
  const script = `export const options = { vus: 2, iterations: 8, thresholds: { 'http_reqs{mode:disabled}': ['count==8'] } };
export default () => { http.get(__ENV.BASE_URL + '/work', { tags: { mode: __ENV.K6_SUMMARY_MODE } }); };`;
  const at = fleetPlace(target, { script, workload: '' });
  const given = ['K6_SUMMARY_MODE=disabled', 'K6_NO_THRESHOLDS=true', 'K6_NEW_MACHINE_READABLE_SUMMARY=true'];

  const said = await at.loadctl(['run', '--env', 'dev', ...given.flatMap((one) => ['-e', one])]);

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
  expect(at.summary().metrics.http_reqs?.values.count).toBe(8);
});

describe('a script that k6 does not get through', () => {
  const endless = 'while (true);\nexport default () => {};';

  test('has a limit, and a line says what is waited for', async () => {
    const target = await startTarget();
    const at = fleetPlace(target, { script: endless, runners: 'count: 2, readyTimeout: 7s' });

    const said = await at.loadctl(['run', '--env', 'dev']);

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 115 });
    expect(said.stderr).toMatch(/k6 is still reading script\.js \(5s\)/);
    expect(said.stderr).toContain('runners.readyTimeout');
  });

  test.each([['SIGTERM', 105] as const, ['SIGKILL', null] as const])('ends with loadctl, by %s', async (signal, code) => {
    const target = await startTarget();
    const at = fleetPlace(target, { script: endless });
    const run = at.start(['run', '--env', 'dev']);
    await expect.poll(() => k6Processes(at.folder), { timeout: 10_000 }).not.toBe('');
    const begun = performance.now();
    run.process.kill(signal);

    expect((await run.said).code).toBe(code);
    await expect.poll(() => k6Processes(at.folder), { timeout: 2000 }).toBe('');
    expect(performance.now() - begun).toBeLessThan(3000);
    const said = await at.loadctl(['verify']);
    expect([said.code, said.stderr]).toEqual([115, expect.stringContaining('No runs here yet')]);
  });
});

test('a temporary folder that cannot be used is no bug in loadctl', async () => {
  const target = await startTarget();
  const at = fleetPlace(target, {});
  const said = await at.loadctl(['run', '--env', 'dev'], { TMPDIR: '/nowhere/at/all' });
  expect([said.code, said.stderr]).toEqual([115, expect.stringContaining('Set TMPDIR to a directory')]);
});

/** The k6 processes whose arguments, or whose parent's, name a place. */
function k6Processes(folder: string): string {
  const all = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes('k6') && line.includes(' inspect ') && isOf(line, folder)).join('\n');
}

/** k6 reads a module of ours whose folder is named by nobody: its working directory tells whose it is. */
function isOf(line: string, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${line.trim().split(/\s+/)[0]}/cwd`) === folder;
  } catch {
    return false; // it is gone
  }
}
