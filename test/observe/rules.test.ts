import { describe, expect, onTestFinished, test } from 'vitest';
import { startDepthServer } from '../servers/depth-server.js';
import { outcomesOf, rowOf, watchedPlace } from '../support/watched-run.js';

const queue = (url: string, more: string) => `{kind: queue, url: "${url}", jsonPath: $.messages_ready, ${more}}`;
const quick = 'every: 500ms, timeout: 400ms';

describe('what is not required', () => {
  test.each([
    ['a warning', '', 0],
    ['invalid under guards: production', 'guards: production\nabort: [{when: errors > 50%, for: 10s}]\n', 111],
  ])('and has no data is not measured: %s', async (_, guards, code) => {
    const source = await startDepthServer();
    const at = await watchedPlace(
      `${guards}monitors: {jobs: ${queue(source.url, `${quick}, required: false`)}}\ncritical: {queueDepth: < 1000}`,
      '5s',
    );
    const running = at.start(['run', '--env', 'dev'], at.env);
    await at.event(({ type }) => type === 'fleet-released');
    source.mode = 'garbage';
    const said = await running.said;
    expect(said, said.stdout + said.stderr).toMatchObject({ code });
    expect(outcomesOf(at.judged())).toEqual({ queueDepth: 'not-measured' });
    expect(at.judged().reasons.join()).toContain('queueDepth was not measured');
  });

  test('is not even where the profile has no monitors, which production does not take', async () => {
    const at = await watchedPlace('guards: production\nabort: [{when: errors > 50%, for: 10s}]\ncritical: {cpu: < 80%}', '3s');
    const said = await at.loadctl(['run', '--env', 'dev'], at.env);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(outcomesOf(at.judged())).toEqual({ cpu: 'not-measured' });
  });
});

test('fewer than 3 samples are no data: plan says so, and the result is invalid', async () => {
  const source = await startDepthServer();
  const at = await watchedPlace(
    `monitors: {seldom: ${queue(source.url, 'every: 5s')}, often: ${queue(source.url, 'every: 1s')}}
critical: {seldom.depth: < 1000, often.depth: < 1000}`,
    '8s',
  );
  const planned = await at.loadctl(['plan', '--env', 'dev'], at.env);
  expect(planned.stdout + planned.stderr).toMatch(/seldom\.depth < 1,000 will have no data: monitor seldom looks every 5s/);
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
  expect(outcomesOf(at.judged())).toEqual({ 'seldom.depth': 'no-data', 'often.depth': 'pass' });
  expect(at.judged().reasons.join()).toMatch(/monitor seldom gave no data: (no sample|only [12] of the 3 samples needed)/);
});

test('one peak breaks the usual statistic of a queue; not its average, not a percentile before it, and not what must last', async () => {
  const source = await startDepthServer();
  const monitors = ['most', 'mean', 'level', 'lasting'].map((name) => `${name}: ${queue(source.url, quick)}`).join(', ');
  const at = await watchedPlace(
    `monitors: {${monitors}}
critical: {most.depth: < 1000, mean.depth: avg < 1000, level.depth: p75 < 1000, lasting.depth: {limit: < 1000, for: 5s}}`,
    '14s',
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  source.depth = 2000;
  const told = () => at.lines().filter(({ values }) => values?.depth === 2000);
  await expect.poll(() => new Set(told().map(({ monitor }) => monitor)).size, { timeout: 10_000, interval: 20 }).toBe(4);
  source.depth = 5;
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(outcomesOf(at.judged())).toEqual({ 'most.depth': 'fail', 'mean.depth': 'pass', 'level.depth': 'pass', 'lasting.depth': 'pass' });
  const stats = ['most', 'mean', 'level', 'lasting'].map((name) => rowOf(at.judged(), `${name}.depth`).monitored?.stat);
  expect(stats).toEqual(['max', 'avg', 'p75', 'held 5 s']);
});

test('a queue that dips each second is told by its average, and ends a load by its rule, though its last value never stays over the limit', async () => {
  const source = await startDepthServer();
  const at = await watchedPlace(
    `monitors: {jobs: ${queue(source.url, quick)}}
critical: {jobs.depth: avg < 1000}
abort: [{when: jobs.depth avg > 1000, for: 12s}]`,
    '60s',
  );
  const running = at.start(['run', '--env', 'dev'], at.env);
  const released = await at.event(({ type }) => type === 'fleet-released');
  const wave = setInterval(() => {
    source.depth = source.depth === 5 ? 4000 : 5;
  }, 1000);
  onTestFinished(() => clearInterval(wave));
  const breached = await at.event(({ type }) => type === 'limit-breached');
  const said = await running.said;
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
  expect(breached.t - released.t).toBeLessThan(20_000);
  expect(at.judged().reasons[0]).toContain('The abort rule avg jobs.depth > 1,000 held for 12s');
  expect(at.summary().durationMs).toBeLessThan(40_000);
  expect(at.told('limit-breached')).toHaveLength(1);
});
