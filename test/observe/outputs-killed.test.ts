import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startAnnotations } from '../servers/grafana.js';
import { fleetPlace } from '../support/fleet-place.js';
import { startSink } from '../support/sink.js';
import { startTarget } from '../support/target.js';

/* PagerDuty and Grafana are servers of this test that answer as theirs are published to. */

test('an incident that a killed loadctl left open is resolved by the next run; its annotation stays a point, and messages link to it', async () => {
  const [pager, hook, grafana, target] = await Promise.all([startSink(), startSink(), startAnnotations('t'), startTarget()]);
  pager.answer({ status: 202, body: '{"status":"success","message":"Event processed"}' });
  const at = fleetPlace(target, {
    target: `url: "${target.url}", health: /healthz`,
    workload: 'vus: 2, duration: 60s',
    runners: 'count: 1',
    profile: `sla: {availability: 50%}
outputs:
  oncall: {kind: pagerduty, routingKey: a-key, url: "${pager.url}", on: [breach, recovered]}
  graf: {kind: grafana, url: "${grafana.url}", token: t}
  hook: {kind: webhook, url: "${hook.url}/in"}`,
  });
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'health-probed');
  target.statuses.set('/healthz', 503);
  await expect.poll(() => pager.taken.length, { timeout: 40_000, interval: 20 }).toBe(1);
  const killed = at.latestRun();
  await expect.poll(() => existsSync(join(killed, 'outputs', 'oncall.owed')), { timeout: 5000, interval: 20 }).toBe(true);
  await expect.poll(() => hook.taken.length, { timeout: 5000, interval: 20 }).toBe(1);
  running.process.kill('SIGKILL');
  await running.said;
  const kept = grafana.kept.map(({ tags, time, timeEnd }) => [tags.at(3), timeEnd - time]);
  expect(kept).toEqual([
    ['run', 0],
    ['load', 0],
    ['breach', 0],
  ]);
  const { data } = JSON.parse(hook.taken[0]?.body ?? '') as { data: { run: string; dashboard: string } };
  const link = new URL(data.dashboard);
  const [from, to] = ['from', 'to'].map((name) => Number(link.searchParams.get(name)));
  expect([link.pathname, link.searchParams.get('var-testid')]).toEqual(['/d/loadctl', data.run]);
  expect([(to ?? 0) - (from ?? 0) > 60_000, (to ?? 0) - (from ?? 0) < 100_000]).toEqual([true, true]);

  target.statuses.delete('/healthz');
  pager.answer({ status: 400, body: '{"status":"invalid event","message":"Invalid routing key"}' });
  const refused = await at.loadctl(['run', '--env', 'dev', '--set', 'workload.duration=1s'], at.env);
  expect(refused.stdout + refused.stderr).not.toContain('left open');
  expect(existsSync(join(killed, 'outputs', 'oncall.owed'))).toBe(true);

  pager.answer({ status: 202, body: '{"status":"success","message":"Event processed"}' });
  const next = await at.loadctl(['run', '--env', 'dev', '--set', 'workload.duration=3s'], at.env);
  expect(next.stdout + next.stderr).toContain(`output oncall: resolved what run ${data.run} left open`);
  const events = pager.taken.map(({ body }) => JSON.parse(body) as { event_action: string; dedup_key: string });
  expect(events.map(({ event_action: action }) => action)).toEqual(['trigger', 'resolve']);
  expect(events[1]?.dedup_key).toBe(events[0]?.dedup_key);
  expect(existsSync(join(killed, 'outputs', 'oncall.owed'))).toBe(false);
});
