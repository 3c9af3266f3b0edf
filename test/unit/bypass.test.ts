import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { checkKey, signBypass, verifyBypass } from '../../examples/bypass/typescript/bypass.js';
import { type BypassOptions, bypassMiddleware } from '../../examples/bypass/typescript/middleware.js';

interface Vectors {
  readonly key: string;
  readonly now: number;
  readonly maxTtl: number;
  readonly vectors: readonly { readonly name: string; readonly id: string; readonly header: string; readonly reason: string }[];
}

const shared: Vectors = JSON.parse(readFileSync(new URL('../../examples/bypass/vectors.json', import.meta.url), 'utf8'));
const { key, now, maxTtl } = shared;
const id = 'load-test-user-r1-a';

test.each(shared.vectors)('$name', ({ id, header, reason }) => {
  expect(verifyBypass({ id, header, key, now, maxTtl })).toEqual(reason === '' ? { ok: true } : { ok: false, reason });
});

test('a missing header is as an empty one', () => {
  expect(verifyBypass({ id, header: undefined, key, now })).toEqual({ ok: false, reason: 'no-signature' });
});

test('signing makes the valid vector', () => {
  const valid = shared.vectors[0];
  expect(signBypass(valid?.id ?? '', now + 7200, key)).toBe(valid?.header);
});

test('a key needs 32 bytes, not characters', () => {
  expect(() => checkKey('k'.repeat(31))).toThrow(RangeError);
  expect(() => checkKey('é'.repeat(16))).not.toThrow();
  expect(() => bypassMiddleware({ key: 'short' })).toThrow('openssl rand -hex 32');
  expect(() => signBypass(id, now, 'short')).toThrow(RangeError);
});

const signed = { 'x-user-id': id, 'x-load-test-signature': signBypass(id, now + 60, key) };
const callers: { name: string; headers: Record<string, string>; options: BypassOptions; status: number; said: string[] }[] = [
  { name: 'a signed one', headers: signed, options: { key }, status: 200, said: [`passed ${id}`, 'next'] },
  { name: 'a bare prefix', headers: { 'x-user-id': id }, options: { key }, status: 401, said: ['refused no-signature'] },
  { name: 'a signed one where there is no key', headers: signed, options: { key: undefined }, status: 401, said: ['refused no-key'] },
  { name: 'a user of the pool', headers: { 'x-user-id': 'user-1' }, options: { key }, status: 200, said: ['next'] },
  { name: 'nobody', headers: {}, options: { key }, status: 200, said: ['next'] },
  {
    name: 'another header name',
    headers: { 'x-user-id': id, 'x-signed': signed['x-load-test-signature'] },
    options: { key, header: 'X-Signed' },
    status: 200,
    said: [`passed ${id}`, 'next'],
  },
];

test.each(callers)('middleware: $name', async ({ headers, options, status, said }) => {
  const heard: string[] = [];
  const check = bypassMiddleware({
    ...options,
    now: () => now,
    onPassed: (_, passed) => heard.push(`passed ${passed}`),
    onRefused: (_request, _id, reason) => heard.push(`refused ${reason}`),
  });
  const url = await listen((request, response) =>
    check(request, response, () => {
      heard.push('next');
      response.end();
    }),
  );

  const response = await fetch(url, { headers });

  expect(response.status).toBe(status);
  expect(heard).toEqual(said);
  if (status === 401) expect(await response.json()).toEqual({ error: 'unauthorized' });
});

function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`);
    });
  });
}
