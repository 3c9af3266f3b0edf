import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readLine } from '../../src/runners/kubernetes/link/wire.js';
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
  await expect.poll(() => processesOf(carried.temp), { timeout: 3000 }).toEqual([]);
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

/** The connections that a carrier dials, in their order; each leads to the conductor. */
function detours() {
  const dialled: { readonly socket: Socket; pieces: number }[] = [];
  const server = createServer({ allowHalfOpen: true });
  onTestFinished(() => {
    server.close();
    for (const { socket } of dialled) socket.destroy();
  });
  const detour = async (port: number) => {
    server.on('connection', (socket) => {
      const there = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const mine = { socket, pieces: 0 };
      dialled.push(mine);
      socket.on('data', () => {
        mine.pieces += 1;
      });
      for (const end of [socket, there]) end.on('error', () => {});
      socket.pipe(there).pipe(socket);
      socket.once('close', () => there.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  };
  return { dialled, detour };
}

test.each<[string, (socket: Socket) => void]>([
  ['ended', (socket) => socket.end()],
  ['reset', (socket) => socket.resetAndDestroy()],
  ['left', () => {}],
])('where what is between has %s the connection that waits for the first push, that push arrives', async (_, strike) => {
  const to = await receiver();
  const { dialled, detour } = detours();
  const { link } = await startCarrier(to, detour);
  await expect.poll(() => dialled[1]?.pieces ?? 0, { timeout: 5000 }).toBeGreaterThan(1);
  if (dialled[1] !== undefined) strike(dialled[1].socket);
  const clock = await link.open({ clock: true });
  clock.write('\n');
  await readLine(clock); // the carrier has heard of it by now
  const { status } = await fetch(`http://127.0.0.1:${link.hello.pushPort}/first`, { method: 'POST', body: 'numbers' });
  expect([status, to.pushes]).toEqual([200, ['/first']]);
});
