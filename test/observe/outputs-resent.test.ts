import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fleetPlace } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

/** Takes so many messages, and asks to come back later for the others. */
async function startChannel(takes: number) {
  const [taken, refused]: [string[], string[]] = [[], []];
  let most = takes;
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const isTaken = taken.length < most;
    (isTaken ? taken : refused).push(Buffer.concat(pieces).toString('utf8'));
    response.writeHead(isTaken ? 200 : 429, { 'retry-after': '30' }).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    taken,
    refused,
    takeAll: () => {
      most = Number.POSITIVE_INFINITY;
    },
  };
}

test('a resend that is killed: what a channel has already is not sent there again', async () => {
  const [channel, target] = await Promise.all([startChannel(2), startTarget()]);
  const at = fleetPlace(target, {
    workload: 'vus: 1, duration: 1s',
    runners: 'count: 1',
    profile: `outputs: {slack: {kind: slack, webhook: "${channel.url}/services/T0/B0/secret", on: [breach]}}`,
  });
  await at.loadctl(['run', '--env', 'dev'], at.env);
  const bodies = ['one', 'two', 'three', 'four'];
  const folder = join(at.latestRun(), 'outputs');
  mkdirSync(folder, { recursive: true });
  const lines = bodies.map((body, second) => `${JSON.stringify({ id: body, second, body })}\n`);
  writeFileSync(join(folder, 'slack.backlog'), lines.join(''));

  const killed = at.start(['resend'], at.env);
  await expect.poll(() => channel.refused, { timeout: 10_000, interval: 20 }).toEqual(['three']);
  killed.process.kill('SIGKILL');
  await killed.said;
  channel.takeAll();
  const again = await at.loadctl(['resend', '--json'], at.env);
  expect(again, again.stderr).toMatchObject({ code: 0 });
  expect(channel.taken).toEqual(bodies);
});
