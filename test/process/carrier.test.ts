import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processesOf } from '../support/agents.js';
import { receiver, startCarrier, startK6 } from '../support/carrier.js';

const script = `import { sleep } from 'k6';
export const options = { vus: 1, iterations: 3 };
export default () => { console.log('hello from the pod'); sleep(0.1); };`;

test('all that a runner needs goes by its carrier: archive, REST, pushes, numbers, log', async () => {
  const to = await receiver();
  const carried = await startCarrier(to);
  const runner = await startK6(carried, to, script);

  expect(await runner.api.status()).toMatchObject({ paused: true });
  await runner.api.release();
  await expect.poll(async () => (await runner.api.status()).status, { timeout: 10_000 }).toBe(9);
  runner.end('gracefully');

  expect(await runner.ended).toEqual({ exitCode: 0 });
  const { read, troubles } = await runner.collect();
  const { summary } = await read();
  expect(troubles).toEqual([]);
  expect(JSON.parse(summary ?? '{}').metrics.iterations.count).toBe(3);
  expect((await runner.readLog()).troubles).toEqual([]);
  expect(readFileSync(join(carried.temp, 'kept', 'log'), 'utf8').match(/hello from the pod/g)).toHaveLength(3);
  expect(new Set(to.pushes)).toEqual(new Set(['/push']));
  carried.link.hangUp();
  await carried.ended;
  expect(processesOf(carried.temp)).toEqual([]);
});

test('a link that is cut ends k6, the agent and the carrier', async () => {
  const to = await receiver();
  const carried = await startCarrier(to);
  const runner = await startK6(carried, to, script);

  carried.link.hangUp();

  expect(await runner.ended).toEqual({ error: 'EHOSTUNREACH' });
  await carried.ended;
  await expect.poll(() => processesOf(carried.temp), { timeout: 3000 }).toEqual([]);
});
