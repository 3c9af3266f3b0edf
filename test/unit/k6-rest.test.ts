import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { runnerApi } from '../../src/k6/rest.js';
import { openWorld } from '../../src/world.js';

const { clock } = openWorld();
const status = JSON.stringify({ data: { attributes: { status: 7, paused: false, vus: 1, 'vus-max': 2 } } });
const length = (bytes: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`;

/** A server of a runner's REST API that answers in its own way; the address that it listens at, and how many connections are open. */
async function startRest(answer: (socket: Socket) => void): Promise<{ readonly url: string; open(): number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', () => answer(socket));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, open: () => sockets.size };
}

test.each<[string, (socket: Socket) => void]>([
  ['nothing', () => {}],
  ['half a head', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Le')],
  ['half a body', (socket) => socket.write(`${length(status.length)}${status.slice(0, 10)}`)],
  ['half a body, and hangs up', (socket) => socket.end(`${length(status.length)}${status.slice(0, 10)}`)],
  ['no HTTP', (socket) => socket.write('\0 no HTTP\r\n\r\n')],
  ['another protocol', (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')],
  ['a reset', (socket) => socket.resetAndDestroy()],
])('a REST API that answers %s is told as one that did not answer, in time, and is hung up on', async (_, answer) => {
  const { url, open } = await startRest(answer);
  const begun = performance.now();
  await expect(runnerApi(url, clock).status()).rejects.toThrow(/^k6's REST API at \S+ did not answer: ./);
  expect(performance.now() - begun).toBeLessThan(3000);
  await expect.poll(open).toBe(0);
});

test('an answer that came while loadctl stood still for longer than the deadline is heard', async () => {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const server = require('node:http').createServer((_, response) => setTimeout(() => response.end(workerData), 500));
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true, workerData: status },
  );
  onTestFinished(() => void worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const asked = runnerApi(`http://127.0.0.1:${port}`, clock).status();
  await clock.sleep(100); // it is on its way
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
  expect(await asked).toEqual({ status: 7, paused: false, vus: 1, vusMax: 2 });
});
