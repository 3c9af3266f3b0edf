import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { runnerId } from '../../src/core/ids.js';
import { startReceiver } from '../../src/k6/remote-write/receiver.js';
import { openWorld } from '../../src/world.js';

const { clock } = openWorld();
/** Node looks every half minute for connections of which no head has come for a minute. */
const idleMs = 95_000;

test('a connection that is taken in ahead of its first push waits for it for longer than a minute', { timeout: 120_000 }, async () => {
  const receiver = await startReceiver([runnerId(1)], { pushed: () => {}, rejected: () => {}, admits: () => true });
  const server = createServer({ allowHalfOpen: true }, receiver.take).listen(0, '127.0.0.1');
  onTestFinished(async () => {
    server.close();
    await receiver.close();
  });
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const said = once(client, 'data').then(String);
  expect(await Promise.race([said, clock.sleep(idleMs, over.signal).then(() => 'nothing')])).toBe('nothing');
  client.write('POST /push HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n');
  expect(await said).toMatch(/^HTTP\/1.1 404/);
});
