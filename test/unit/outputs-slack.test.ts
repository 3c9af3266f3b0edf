import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openRedactor } from '../../src/core/redactor.js';
import { openOutput } from '../../src/outputs/index.js';
import type { Message } from '../../src/outputs/kind/message.js';
import { openWorld } from '../../src/world.js';

/* The server is one of this test that answers as Slack's chat.postMessage is documented to. */

interface Posted {
  readonly channel?: string;
  readonly text?: string;
  readonly thread_ts?: string;
  readonly reply_broadcast?: boolean;
}

async function startSlack(token: string) {
  const posted: Posted[] = [];
  let error: string | undefined;
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const { 'content-type': type, authorization } = request.headers;
    const said = (body: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url !== '/api/chat.postMessage' || type?.startsWith('application/json') !== true) return said({ ok: false, error: 'bad' });
    if (authorization !== `Bearer ${token}`) return said({ ok: false, error: 'invalid_auth' });
    if (error !== undefined) return said({ ok: false, error });
    posted.push(JSON.parse(Buffer.concat(pieces).toString('utf8')));
    return said({ ok: true, channel: 'C1', ts: `1700000000.00000${posted.length}` });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
  return {
    api,
    posted,
    fail: (with_: string | undefined) => {
      error = with_;
    },
  };
}

const at = (occasion: Message['occasion'], t: number): Message => ({
  occasion,
  environment: 'dev',
  at: 1_800_000_000_000 + t,
  t,
  title: `${occasion} of dev`,
  facts: [],
  lines: [],
});

test('by a bot a run is one thread: the first message begins it, and what ends badly is shown in the channel as well', async () => {
  const slack = await startSlack('xoxb-1');
  const { clock } = openWorld();
  const output = openOutput(
    { name: 's', kind: 'slack', token: 'xoxb-1', channel: 'C1', api: slack.api, on: ['breach'] },
    { label: 'loadctl/test', environment: 'dev', clock, redact: openRedactor() },
  );
  const send = async (message: Message) => {
    const answers = [];
    for (const parcel of output.told?.(message) ?? []) answers.push(await output.send(parcel, AbortSignal.timeout(5000)));
    return answers;
  };
  slack.fail('ratelimited');
  expect(await send(at('breach', 1))).toEqual([{ is: 'later', why: 'Slack says ratelimited' }]);
  slack.fail('channel_not_found');
  expect(await send(at('breach', 1))).toEqual([{ is: 'refused', why: 'Slack says channel_not_found' }]);
  slack.fail(undefined);
  for (const [index, occasion] of (['breach', 'recovered', 'failed'] as const).entries()) await send(at(occasion, index * 1000));
  const ts = '1700000000.000001';
  expect(slack.posted).toMatchObject([{ channel: 'C1' }, { thread_ts: ts }, { thread_ts: ts, reply_broadcast: true }]);
  expect([slack.posted[0]?.thread_ts, slack.posted[1]?.reply_broadcast]).toEqual([undefined, undefined]);
  expect(slack.posted.every((one) => !('loud' in one))).toBe(true);
});
