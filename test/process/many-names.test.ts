import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { PbfWriter } from 'pbf';
import SnappyJS from 'snappyjs';
import { expect, onTestFinished, test } from 'vitest';

const receive = fileURLToPath(new URL('../fixtures/series/receive.js', import.meta.url));

interface Address {
  readonly url: string;
  readonly token: string;
}

const trends = ['duration', 'blocked', 'connecting', 'tls_handshaking', 'sending', 'waiting', 'receiving'];

/** What k6 pushes of requests to these pages, each with a URL of its own and without a name tag. */
function pushOf(pages: readonly number[], withTimes: boolean): Uint8Array {
  const push = new PbfWriter();
  for (const page of pages) {
    const url = `https://shop.example.com/products/${page}/details?session=${(page * 7919) % 1e9}`;
    const tags = { expected_response: 'true', method: 'GET', name: url, proto: 'HTTP/1.1', scenario: 'default', status: '200', url };
    push.writeMessage(1, writeSeries, { name: 'http_reqs_total', tags });
    if (withTimes) push.writeMessage(1, writeSeries, { name: 'http_req_failed_rate', tags });
    for (const trend of withTimes ? trends : []) push.writeMessage(1, writeSeries, { name: `http_req_${trend}_seconds`, tags });
  }
  return SnappyJS.compress(push.finish());
}

function writeSeries({ name, tags }: { name: string; tags: Record<string, string> }, to: PbfWriter): void {
  for (const label of Object.entries({ __name__: `k6_${name}`, ...tags }).sort()) to.writeMessage(1, writeLabel, label);
  if (name.endsWith('_seconds')) to.writeMessage(4, writeHistogram, undefined);
  else to.writeMessage(2, writeSample, name.endsWith('_rate') ? 0 : 1);
}

function writeLabel([name, value]: readonly [string, string], to: PbfWriter): void {
  to.writeStringField(1, name);
  to.writeStringField(2, value);
}

function writeSample(value: number, to: PbfWriter): void {
  to.writeDoubleField(1, value);
  to.writeVarintField(2, 1_700_000_000_000);
}

/** Eight samples, one in each of eight buckets. */
function writeHistogram(_: undefined, to: PbfWriter): void {
  to.writeVarintField(1, 8);
  to.writeDoubleField(3, 0.2);
  to.writeSVarintField(4, 3);
  to.writeDoubleField(5, 2.9e-39);
  to.writeMessage(11, writeSpan, undefined);
  to.writePackedSVarint(12, [1, 0, 0, 0, 0, 0, 0, 0]);
  to.writeVarintField(15, 1_700_000_000_000);
}

function writeSpan(_: undefined, to: PbfWriter): void {
  to.writeSVarintField(1, -73);
  to.writeVarintField(2, 8);
}

const agent = new Agent({ keepAlive: true });

async function post({ url, token }: Address, body: Uint8Array): Promise<number | undefined> {
  const call = request(url, { method: 'POST', agent, headers: { authorization: `Bearer ${token}`, 'content-length': body.length } });
  call.end(body);
  const [response] = await once(call, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

/** The first 3,000 pages by every runner with all that k6 pushes of them, which is more than is kept; the others in turn. */
test('30 runners with 200,000 names each cost less than 500 MB, and what is left out is told', async () => {
  const child = fork(receive, ['30'], { execArgv: [] });
  onTestFinished(() => {
    child.kill('SIGKILL');
    agent.destroy();
  });
  const [addresses] = (await once(child, 'message')) as [readonly Address[]];
  for (let from = 0; from < 200_000; from += 1000) {
    const all = from < 3000;
    const body = pushOf(
      Array.from({ length: 1000 }, (_, index) => from + index),
      all,
    );
    const pushers = addresses.filter((_, index) => all || index % 6 === (from / 1000) % 6);
    expect(new Set(await Promise.all(pushers.map((address) => post(address, body))))).toEqual(new Set([204]));
  }
  child.send('how much');
  const [said] = (await once(child, 'message')) as [{ peakMb: number; count: number; warned: string[] }];
  expect(said.peakMb).toBeLessThan(500);
  expect(said.count).toBeGreaterThan(30 * 500);
  expect(said.warned).toEqual(['requests-folded', 'series-left-out']);
});
