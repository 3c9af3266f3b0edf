import { expect, test } from 'vitest';
import { processesOf } from '../support/agents.js';
import { receiver, startCarrier, startK6 } from '../support/carrier.js';

const script = `import { sleep } from 'k6';
export const options = { vus: 1, duration: '60s' };
export default () => { sleep(0.1); };`;

test('a carrier that stands still: its k6 is gone within 5 s, and the conductor knows', async () => {
  const to = await receiver();
  const carried = await startCarrier(to);
  const runner = await startK6(carried, to, script);
  await runner.api.release();

  const begun = Date.now();
  carried.process.kill('SIGSTOP');

  await expect
    .poll(() => processesOf(carried.temp).filter((line) => line.includes(' run ')), { timeout: 10_000, interval: 50 })
    .toEqual([]);
  expect(Date.now() - begun).toBeLessThan(5000);
  expect(await runner.ended).toEqual({ error: 'EHOSTUNREACH' });
  carried.process.kill('SIGKILL');
});
