import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startDepthServer } from '../servers/depth-server.js';
import { startRedis } from '../servers/redis.js';
import { loadOf } from '../support/fleet-place.js';
import { outcomesOf, rowOf, type WatchedPlace, watchedPlace } from '../support/watched-run.js';

const queue = (name: string, url: string, more = '') =>
  `${name}: {kind: queue, url: "${url}", jsonPath: $.messages_ready, every: 500ms, timeout: 400ms${more}}`;

/** An open model: what is made does not depend on how fast anybody is. */
const fixedRate = 'vus: 50, rate: 50/s'; // a second of a machine that stands still drops none

function expectFullRate(at: WatchedPlace, seconds: number): void {
  const { metrics, durationMs } = at.summary();
  expect(durationMs).toBeGreaterThan(seconds * 1000 - 500);
  expect(metrics.dropped_iterations?.values.count ?? 0).toBe(0);
  expect(metrics.iterations?.values.count).toBeGreaterThan(seconds * 50 * 0.97);
}

test('sources that begin to hang, to answer garbage, to lag: the load goes on at its full rate, and one warning a source says what is no data', async () => {
  const names = ['hangs', 'odd', 'slow', 'late'] as const;
  const [hangs, odd, slow, late] = await Promise.all(names.map(() => startDepthServer()));
  if (!hangs || !odd || !slow || !late) throw new Error('four were started');
  // The first answer may take longer.
  slow.delayMs = 900;
  const monitors = [hangs, odd, slow, late].map(({ url }, index) => queue(names[index] ?? '', url));
  const limits = names.map((name) => `${name}.depth: < 1000`);
  const at = await watchedPlace(`monitors: {${monitors.join(', ')}}\ncritical: {${limits.join(', ')}}`, '10s', fixedRate);
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(({ type }) => type === 'fleet-released');
  hangs.mode = 'hang';
  odd.mode = 'garbage';
  slow.delayMs = 200;
  late.delayMs = 800;
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
  expect(at.judged().verdict).toBe('invalid');
  const noData = { 'hangs.depth': 'no-data', 'odd.depth': 'no-data', 'late.depth': 'no-data' };
  expect(outcomesOf(at.judged())).toEqual({ ...noData, 'slow.depth': 'pass' });
  for (const name of ['hangs', 'odd', 'late']) expect(at.judged().reasons.join()).toContain(`monitor ${name} gave no data`);
  const warned = at.told('warned').filter(({ code, t }) => code === 'monitor-silent' && t > released(at));
  expect(warned.map(({ monitor, required }) => [monitor, required]).sort()).toEqual([
    ['hangs', true],
    ['late', true],
    ['odd', true],
  ]);
  const lateOnes = at.lines().filter(({ monitor, error }) => monitor === 'late' && error !== undefined);
  for (const { error } of lateOnes) expect(error).toMatch(/no answer (in time|within 400 ms)/);
  expect(lateOnes.length).toBeGreaterThan(10);
  expectFullRate(at, 10);
});

function released(at: WatchedPlace): number {
  return at.events().find(({ type }) => type === 'fleet-released')?.t ?? 0;
}

test('a source that dies for 10 s of a minute is judged by the rest, one that hangs for longer is no data', async () => {
  const [dying, hanging] = [await startRedis(), await startRedis()];
  onTestFinished(() => hanging.stop());
  const at = await watchedPlace(
    `monitors: {dying: {kind: redis, url: "${dying.url}"}, hanging: {kind: redis, url: "${hanging.url}"}}
critical: {dying.clients: < 90%, hanging.clients: < 90%}`,
    '60s',
    fixedRate,
  );
  const hanged = await processOf(hanging.url);
  const running = at.start(['run', '--env', 'dev'], at.env);
  await at.event(loadOf(5000));
  process.kill(hanged, 'SIGSTOP');
  onTestFinished(() => void process.kill(hanged, 'SIGCONT'));
  await dying.stop();
  await at.event(loadOf(15_000));
  const again = await startRedis({ port: dying.port });
  onTestFinished(() => again.stop());
  await at.event(loadOf(25_000));
  process.kill(hanged, 'SIGCONT');
  await at.event(loadOf(55_000));
  const said = await running.said;

  expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
  expect(outcomesOf(at.judged())).toEqual({ 'dying.clients': 'pass', 'hanging.clients': 'no-data' });
  const holes = ['dying.clients', 'hanging.clients'].map((name) => (rowOf(at.judged(), name).monitored?.longestHoleMs ?? 0) / 1000);
  expect(holes[0]).toBeGreaterThan(6);
  expect(holes[0]).toBeLessThan(12);
  expect(holes[1]).toBeGreaterThan(15);
  const told = (type: string, code: string) => at.told(type).flatMap((event) => (event.code === code ? [event.monitor] : []));
  expect(told('warned', 'monitor-silent').sort()).toEqual(['dying', 'hanging']);
  expect(told('noted', 'monitor-back')).toEqual(['dying', 'hanging']);
  expectFullRate(at, 60);
});

async function processOf(url: string): Promise<number> {
  const client = new Redis(url);
  const pid = Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
  client.disconnect();
  return pid;
}

test('a source that never answers refuses the run at its start, with the fix', async () => {
  const source = await startDepthServer();
  source.mode = 'garbage';
  const at = await watchedPlace(`monitors: {${queue('jobs', source.url)}}\ncritical: {queueDepth: < 1000}`);
  const said = await at.loadctl(['run', '--env', 'dev'], at.env);
  expect(said, said.stdout + said.stderr).toMatchObject({ code: 115 });
  expect(said.stderr).toContain('The monitor jobs (profiles/dev.yaml:4) cannot look at');
  expect(said.stderr).toContain('HTML, not JSON');
  const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors'], at.env);
  expect(looked.code).toBe(115);
  expect(looked.stdout).toContain('HTML, not JSON');
});
