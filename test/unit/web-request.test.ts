import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { probeOnce, requireTarget } from '../../src/phases/target/health-probe.js';
import { getOnce } from '../../src/phases/target/web-request.js';
import { makeCertificates } from '../servers/certificates.js';

test.each([
  [{}, 'Basic YW5uOnNlY3JldC13b3JkLW9mLWFubg=='],
  [{ Authorization: 'Bearer of-the-profile' }, 'Bearer of-the-profile'],
])('a header of the profile takes the place of what the URL says: %j', async (headers, sent) => {
  const heard: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization, request.headers['user-agent']);
    response.end();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const url = `http://ann:secret-word-of-ann@127.0.0.1:${port}/`;
  const answer = await getOnce(url, { userAgent: 'loadctl/test', headers, signal: AbortSignal.timeout(5000) });
  answer.resume();
  expect(heard).toEqual([sent, 'loadctl/test']);
});

test('a server that closes what it keeps open is there each time it is asked', async () => {
  const server = createTcpServer((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok');
      socket.once('data', () => socket.destroy());
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`;
  const looking = { userAgent: 'loadctl/test', clock: { stamp: () => 0, elapsed: () => 0, sleep: () => new Promise<void>(() => {}) } };

  const looks = [await probeOnce(url, looking), await probeOnce(url, looking), await probeOnce(url, looking)];

  expect(looks).toEqual(looks.map(() => ({ good: true, status: 200, elapsedMs: 0 })));
});

test('a target that speaks plain HTTP, and one whose certificate nobody vouches for, are told with what to do', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-web-request-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  makeCertificates(folder, [{ name: 'own', hosts: ['IP:127.0.0.1'] }]);
  const [key, cert] = ['own.key', 'own.pem'].map((name) => readFileSync(join(folder, name)));
  const servers = [createServer(), createSecureServer({ key, cert })].map((server) => server.listen(0, '127.0.0.1'));
  onTestFinished(() => servers.forEach((server) => void server.close()));
  await Promise.all(servers.map((server) => server.listening || once(server, 'listening')));
  const looking = { userAgent: 'loadctl/test', clock: { stamp: () => 0, elapsed: () => 0, sleep: () => new Promise<void>(() => {}) } };

  const [plain, untrusted] = servers.map((server) =>
    requireTarget({ url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/` }, looking),
  );

  await expect(plain).rejects.toThrow(/it does not speak TLS; did you mean http:\/\/\?/);
  await expect(untrusted).rejects.toMatchObject({
    message: expect.stringContaining('self-signed certificate'),
    hint: expect.stringMatching(/insecureSkipTLSVerify=true.*NODE_EXTRA_CA_CERTS=.*SSL_CERT_FILE=/),
  });
});
