import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const script = `import http from 'k6/http';
export const options = { vus: 2, iterations: 2, thresholds: { http_req_failed: ['rate<0.1'], http_req_duration: ['p(95)<5000'] } };
export function setup() { http.get(__ENV.BASE_URL + '/accounts'); throw new Error('no accounts left'); }
export default () => { http.get(__ENV.BASE_URL + '/work'); };
export function teardown() { http.get(__ENV.BASE_URL + '/teardown'); }
export function handleSummary(data) {
  return { 'junit.xml': String(data.metrics.http_reqs.values.count), stdout: Object.keys(data.metrics).sort().join(' ') + '\\n' };
}
`;

const why = 'The script threw in setup(): Error: no accounts left';

test("a setup() that throws is told alike by run, verify and JSON: 107 alone, without a row, and with the script's own summary", async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js}\nrunners: {count: 2}\n`,
    'script.js': script,
  });
  const ran = await place.loadctl(['run', '--env', 'dev']);
  expect(ran.code).toBe(107);
  expect(ran.stdout).toContain('http_reqs');
  expect(place.read('junit.xml')).toBe('1');
  expect(Object.fromEntries(target.hits)).toEqual({ 'GET /': 1, 'GET /accounts': 1 });
  const run = place.latestRun();
  expect(existsSync(join(run, 'verdict.json'))).toBe(true);
  expect(JSON.parse(readFileSync(join(run, 'verdict.json'), 'utf8'))).toMatchObject({
    verdict: 'invalid',
    exitCode: 107,
    exitCodes: [107],
  });

  const verified = await place.loadctl(['verify']);
  expect(verified.code).toBe(107);
  for (const { stdout, stderr } of [ran, verified]) {
    const all = stdout + stderr;
    expect(all).toContain(why);
    expect(all).not.toMatch(/no data|interrupted/i);
  }
  const json = await place.loadctl(['run', '--env', 'dev', '--json']);
  const reverified = await place.loadctl(['verify', '--json']);
  for (const { code, stdout } of [json, reverified]) {
    const said: unknown = JSON.parse(stdout);
    expect([code, stdout]).toEqual([107, expect.stringContaining(why)]);
    expect(said).toMatchObject({ exitCode: 107, exitCodes: [107] });
  }
  const list = JSON.parse((await place.loadctl(['runs', '--json'])).stdout) as unknown;
  expect(JSON.stringify(list)).not.toContain('interrupted');
});
