import { describe, expect, test } from 'vitest';
import { hasRabbitMq, startRabbitMq } from '../servers/rabbitmq.js';
import { outcomesOf, rowOf, watchedPlace } from '../support/watched-run.js';

describe.skipIf(!hasRabbitMq())('RabbitMQ', () => {
  test('tells its ready messages as rabbitmqctl does; a wrong password and a missing queue are told with their fix', async () => {
    const rabbit = await startRabbitMq();
    await rabbit.declare('jobs');
    rabbit.publish('jobs', 400);
    const { host } = new URL(rabbit.url);
    const at = await watchedPlace(
      `monitors: {jobs: {kind: queue, url: "http://${rabbit.user}:\${RABBIT_PASSWORD}@${host}/api/queues/%2F/jobs", jsonPath: $.messages_ready}}
critical: {queueDepth: < 1000, jobs.drain: < 30s}`,
      '28s',
    );
    const env = { ...at.env, RABBIT_PASSWORD: encodeURIComponent(rabbit.password) };
    await expect.poll(async () => (await at.loadctl(['doctor', '--env', 'dev', '--monitors'], env)).code, { timeout: 20_000 }).toBe(0);
    const running = at.start(['run', '--env', 'dev'], env);
    await at.event(({ type }) => type === 'fleet-released');
    rabbit.publish('jobs', 1600);
    const breached = await at.event(({ type }) => type === 'limit-breached');
    const depth = rabbit.depthOf('jobs');
    await rabbit.purge('jobs');
    const said = await running.said;

    expect(said, said.stdout + said.stderr).toMatchObject({ code: 99 });
    expect(depth).toBe(2000);
    expect(rowOf(at.judged(), 'queueDepth')).toMatchObject({ actual: depth, monitored: { monitor: 'jobs' } });
    expect(outcomesOf(at.judged())).toEqual({ queueDepth: 'fail', 'jobs.drain': 'pass' });
    const seen = at.lines().find(({ values }) => (values?.depth ?? 0) > 1000)?.t ?? 0;
    expect(breached.t - seen).toBeLessThan(15_000);
    expect([at.told('limit-breached').length, at.told('limit-recovered').length]).toEqual([1, 1]);

    const refused = await at.loadctl(['doctor', '--env', 'dev', '--monitors'], { ...env, RABBIT_PASSWORD: 'wrong' });
    expect(refused).toMatchObject({ code: 115, stdout: expect.stringContaining(`${host} answered 401`) });
    at.file('profiles/dev.yaml', at.read('profiles/dev.yaml').replace('/jobs"', '/missing"'));
    const missing = await at.loadctl(['doctor', '--env', 'dev', '--monitors'], env);
    expect(missing).toMatchObject({ code: 115, stdout: expect.stringContaining(`${host} answered status 404`) });
  }, 200_000);
});
