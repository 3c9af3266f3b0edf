import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, temporaryFolder } from '../../examples/servers/keep.js';
import { lookOnce } from '../../src/monitors/sampler.js';
import type { PlannedMonitor } from '../../src/plan/monitors.js';
import { makeCertificates } from '../servers/certificates.js';
import { listening } from '../servers/depth-server.js';
import { probeOf } from '../support/probe.js';

const pace = { every: 1000, timeout: 1000, required: true } as const;

function queueAt(url: string, more: Partial<Extract<PlannedMonitor, { kind: 'queue' }>> = {}) {
  return probeOf({ ...pace, name: 'jobs', kind: 'queue', url, jsonPath: ['n'], ...more } as PlannedMonitor);
}

/** What a look comes to as it is kept. */
async function told(probe: ReturnType<typeof probeOf>) {
  const [one] = await lookOnce(probe, { elapsed: () => performance.now() });
  return one?.look;
}

const packed = gzipSync(Buffer.alloc(50_000_000, ' '), { level: 1 });

/** Answers fifty megabytes of blanks, which are much less on the wire. */
const bomb: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  response.end(packed);
};

/** Never ends, and never stalls. */
const flood: RequestListener = (_, response) => {
  const piece = ' '.repeat(65_536);
  const more = () => {
    while (response.write(piece)) if (response.destroyed) return;
  };
  response.on('drain', more).on('error', () => undefined);
  more();
};

test.each([
  ['a body that unpacks to fifty megabytes', bomb, /does not end|no answer in time/],
  ['one that never ends', flood, /does not end|no answer in time/],
  ['a number beyond all numbers', '{"n": 1e400}', /JSON without a number/],
  ['no number', '{"n": null}', /JSON without a number/],
  ['a length that no answer wrote', '{"m": [1]}', /JSON without a number/],
  ['half a document', '{"n": 5', /not JSON/],
] as const)('%s is an error, and the memory of this process stays', async (_, answer, message) => {
  const server = createServer(typeof answer === 'string' ? (__, response) => response.end(answer) : answer);
  const probe = queueAt(`http://127.0.0.1:${await listening(server)}/`);
  const before = process.memoryUsage().rss;
  expect((await told(probe))?.error).toMatch(message);
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
});

test('a status of 500 after 200s is an error of that look alone', async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    if (asked === 2) response.statusCode = 500;
    response.end('{"n": 7}');
  });
  const probe = queueAt(`http://127.0.0.1:${await listening(server)}/`);
  expect(await told(probe)).toMatchObject({ values: { depth: 7 } });
  expect(await told(probe)).toMatchObject({ error: expect.stringMatching(/answered status 500/) });
  expect(await told(probe)).toMatchObject({ values: { depth: 7 } });
});

test('a redirect is not followed, whatever its status: neither the token nor a user’s password reaches the other host', async () => {
  const heard: (string | undefined)[] = [];
  const other = await listening(
    createServer((request, response) => {
      heard.push(request.headers.authorization);
      response.end('{"n": 7}');
    }),
  );
  for (const status of [301, 302, 303, 307, 308]) {
    const server = createServer((_, response) => response.writeHead(status, { location: `http://127.0.0.1:${other}/` }).end());
    const port = await listening(server);
    for (const probe of [queueAt(`http://127.0.0.1:${port}/`, { token: 'hush' }), queueAt(`http://ann:hush@127.0.0.1:${port}/`)])
      expect((await told(probe))?.error).toMatch(new RegExp(`answered status ${status}`));
  }
  expect(heard).toEqual([]);
});

test('a certificate that signed itself is no connection, and the fix is its authority', async () => {
  const folder = temporaryFolder('self-signed');
  makeCertificates(folder, [{ name: 'server', hosts: ['IP:127.0.0.1'] }]);
  const [key, cert] = ['server.key', 'server.pem'].map((name) => readFileSync(join(folder, name)));
  const heard: unknown[] = [];
  const server = createTlsServer({ key, cert }, (request, response) => {
    heard.push(request.headers.authorization);
    response.end('{"n": 7}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const probe = queueAt(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`, { token: 'hush' });
  await expect(probe.look()).rejects.toMatchObject({
    message: expect.stringMatching(/SELF_SIGNED/),
    hint: expect.stringMatching(/NODE_EXTRA_CA_CERTS/),
  });
  expect(heard).toEqual([]);
});

test('an address of version 6, and a name', async () => {
  const answers: RequestListener = (_, response) => response.end('{"n": 7}');
  const six = createServer(answers);
  const port = await freePort();
  await new Promise<void>((resolve) => six.listen(port, '::1', resolve));
  onTestFinished(() => {
    six.closeAllConnections();
    six.close();
  });
  const four = await listening(createServer(answers));
  for (const url of [`http://[::1]:${port}/`, `http://localhost:${four}/`])
    expect(await told(queueAt(url)), url).toMatchObject({ values: { depth: 7 } });
});

/** A Prometheus that answers with these samples, by its own protocol. */
async function promAnswering(result: readonly { readonly metric: Record<string, string>; readonly value: readonly [number, string] }[]) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  const url = `http://127.0.0.1:${await listening(server)}`;
  return (query: string) => probeOf({ ...pace, name: 'mesh', kind: 'prometheus', url, query } as PlannedMonitor);
}

test('an answer of many thousand series is refused at once, with what to do', async () => {
  const now = Date.now() / 1000;
  const many = Array.from({ length: 5_000 }, (_, index) => ({ metric: { __name__: 'up', i: `${index}` }, value: [now, '1'] as const }));
  const probe = (await promAnswering(many))('up');
  await expect(probe.look()).rejects.toMatchObject({
    message: expect.stringMatching(/5000 series/),
    hint: expect.stringMatching(/sum by/),
  });
});

test('two metrics of the same labels are two sources; NaN, +Inf and 1e400 are no numbers', async () => {
  const now = Date.now() / 1000;
  const of = (name: string, value: string) => ({ metric: { __name__: name, q: 'a' }, value: [now, value] as const });
  const ask = await promAnswering([of('one_depth', '5'), of('two_depth', '7'), of('nan', 'NaN'), of('inf', '+Inf'), of('big', '1e400')]);
  const looks = await lookOnce(ask('{q="a"}'), { elapsed: () => performance.now() });
  expect(looks.map(({ look: { source, values, error } }) => [source, values?.value ?? error])).toEqual([
    ['one_depth{q="a"}', 5],
    ['two_depth{q="a"}', 7],
    ['nan{q="a"}', 'it told no number: NaN'],
    ['inf{q="a"}', 'it told no number: NaN'],
    ['big{q="a"}', 'it told no number: Infinity'],
  ]);
});
