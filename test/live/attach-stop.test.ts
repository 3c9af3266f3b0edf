import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const script = `import http from 'k6/http';\nimport { sleep } from 'k6';\nexport default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };\nexport function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }`;
const profile = (url: string) =>
  `target: {url: "${url}"}\nworkload: {script: ../script.js, vus: 4, duration: 60s}\nrunners: {count: 2}\nsla: {errors: < 1%}\n`;

test('a second terminal sees a run live, leaves it alone, and ends it', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url), 'script.js': script });
  const run = place.start(['run', '--env', 'dev']);
  await run.until('the load begins');

  const leaving = place.start(['attach']);
  await leaving.until(/\d+ requests\/s/);
  leaving.process.kill('SIGINT');
  const left = await leaving.said;
  expect(left.code).toBe(0);
  expect(left.stdout).toContain('goes on');
  expect((await place.loadctl(['runs'])).stdout).toMatch(/running/);

  const staying = place.start(['attach']);
  await staying.until('the load begins');
  const stopped = await place.loadctl(['stop']);
  expect(stopped, stopped.stderr).toMatchObject({ code: 0 });

  expect((await run.said).code).toBe(105);
  const watched = await staying.said;
  expect(watched.code).toBe(0);
  expect(watched.stdout).toContain('INTERRUPTED');
  expect(target.hits.get('GET /torn-down')).toBe(1);
  const verdict = JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8')) as { verdict: string; reasons: string[] };
  expect(verdict.verdict).toBe('interrupted');
  expect(verdict.reasons[0]).toMatch(/stopped by .* on .* \(loadctl stop\)/);
  expect((await place.loadctl(['runs'])).stdout).toMatch(/ dev .*\s+interrupted\s+The run was stopped by /);
});

test('a stop that comes during teardown() is told: what was measured is whole, but the run was not left to end', async () => {
  const target = await startTarget();
  target.delays.set('/torn-down', 5000);
  const place = workplace({ 'profiles/dev.yaml': profile(target.url).replace('60s', '2s'), 'script.js': script });
  const run = place.start(['run', '--env', 'dev']);
  await expect.poll(() => target.hits.get('GET /torn-down') ?? 0, { timeout: 30_000 }).toBe(1);
  expect((await place.loadctl(['stop'])).code).toBe(0);

  expect((await run.said).code).toBe(105);
  expect(JSON.parse(readFileSync(join(place.latestRun(), 'verdict.json'), 'utf8'))).toMatchObject({
    verdict: 'interrupted',
    reasons: [expect.stringMatching(/stopped by .* on .* \(loadctl stop\)/)],
  });
});

test('what is over cannot be ended', async () => {
  const target = await startTarget();
  const place = workplace({ 'profiles/dev.yaml': profile(target.url).replace('60s', '1s'), 'script.js': script });
  await place.loadctl(['run', '--env', 'dev']);

  const said = await place.loadctl(['stop']);

  expect(said.code).toBe(115);
  expect(said.stderr).toContain('is not running');
});
