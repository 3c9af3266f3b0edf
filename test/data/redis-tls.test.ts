import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadctlError } from '../../src/core/errors.js';
import { cleanup } from '../../src/phases/data/cleanup.js';
import { seed } from '../../src/phases/data/seed.js';
import { makeCertificates } from '../servers/certificates.js';
import { type DataProfile, dataContext } from '../servers/data-context.js';
import { type RedisServer, startRedis, startRedisCluster } from '../servers/redis.js';
import { workplace } from '../support/loadctl.js';

const token = 'an-AUTH-token-of-sixteen-to-128-characters';

const folder = mkdtempSync(join(tmpdir(), 'loadctl-certificates-'));
const pem = (name: string) => join(folder, `${name}.pem`);
const signed = (name: string) => ({ certificate: pem(name), key: join(folder, `${name}.key`), authority: pem('ca') });
const servers: Record<'good' | 'expired' | 'mutual' | 'plain', RedisServer> = {} as never;
beforeAll(async () => {
  makeCertificates(folder, [
    { name: 'ca' },
    { name: 'other' },
    { name: 'by-name', by: 'ca', hosts: ['DNS:localhost'] },
    { name: 'by-name-and-address', by: 'ca', hosts: ['DNS:localhost', 'IP:127.0.0.1'] },
    { name: 'expired', by: 'ca', hosts: ['DNS:localhost'], expired: true },
  ]);
  const certificate = signed('by-name');
  const open = ['--tls-auth-clients', 'no'];
  servers.good = await startRedis({ tls: certificate, password: token, words: open });
  servers.expired = await startRedis({ tls: signed('expired'), password: token, words: open });
  servers.mutual = await startRedis({ tls: certificate, password: token });
  servers.plain = await startRedis({ password: token });
});
afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const users = { logins: { key: 'cache/user:user-{n}', rows: 10, value: { id: 'user-{n}' }, ttl: '1h' } };
const keys = [{ match: 'cache/user:load-test-user-*' }];

function profile(store: Record<string, unknown>): DataProfile {
  return {
    stores: { cache: { kind: 'redis', ...store } },
    seed: users,
    cleanup: { prefix: 'load-test-user-', keys, settle: '10ms' },
  };
}

const at = (server: keyof typeof servers, host = 'localhost', scheme = 'rediss') => `${scheme}://:${token}@${host}:${servers[server].port}`;
const tls = (authority = 'ca') => ({ ca: pem(authority) });

test('a verified server is spoken to with an AUTH token, as ElastiCache has it', async () => {
  const parts = profile({ url: at('good'), tls: tls() });
  expect((await seed(dataContext(parts))).stores).toMatchObject([{ created: 10 }]);
  const split = profile({ url: `redis://localhost:${servers.good.port}`, password: token, tls: tls() });
  expect((await cleanup(dataContext(split), { dryRun: false, seeded: true })).receipt).toMatchObject({
    proven: true,
    keys: [{ left: 0 }, { deleted: 10, left: 0 }],
  });
});

describe('what is not the right server is told in one line, and nothing is said to it', () => {
  test.each([
    ['an authority that nobody knows', () => ({ url: at('good') }), /certificate of localhost:\d+ is not trusted/, /tls\.ca/],
    ['another authority', () => ({ url: at('good'), tls: tls('other') }), /certificate of localhost:\d+ is not trusted/, /tls\.ca/],
    [
      'another host name',
      () => ({ url: at('good', '127.0.0.1'), tls: tls() }),
      /certificate of 127\.0\.0\.1:\d+ is for another name/,
      /by a name that its certificate is for/,
    ],
    ['a certificate that has expired', () => ({ url: at('expired'), tls: tls() }), /certificate of localhost:\d+ has expired/, /renewed/],
    ['plain text', () => ({ url: at('plain'), tls: tls() }), /localhost:\d+ speaks plain text, not TLS/, /redis: in place of rediss:/],
    ['TLS, spoken to in plain text', () => ({ url: at('good', 'localhost', 'redis') }), /localhost:\d+ requires TLS/, /`tls: \{\}`/],
    [
      'one that asks for our certificate',
      () => ({ url: at('mutual'), tls: tls() }),
      /ends the connection after the TLS handshake/,
      /tls-auth-clients/,
    ],
    [
      'another token',
      () => ({ url: at('good').replace(token, 'x'), tls: tls() }),
      /refused the login|requires a password/,
      /user name and password/,
    ],
    ['a CA that is not there', () => ({ url: at('good'), tls: { ca: '/nowhere/ca.pem' } }), /\/nowhere\/ca\.pem cannot be read/, /path/],
  ])('%s', async (_, store, message, hint) => {
    const error = await seed(dataContext(profile(store()))).then(
      () => expect.unreachable(),
      (thrown: LoadctlError) => thrown,
    );
    expect(error).toMatchObject({ reason: 'unavailable', message: expect.stringMatching(message), hint: expect.stringMatching(hint) });
    expect(`${error.message} ${error.hint}`).not.toContain(token);
  });

  test('the command ends with 115 and keeps the token to itself', async () => {
    const text = JSON.stringify({
      target: { url: 'http://127.0.0.1:1' },
      workload: { script: 'k6.js' },
      ...profile({ url: '${REDIS_URL}' }),
    });
    const place = workplace({ 'profiles/dev.yaml': text, 'profiles/k6.js': 'export default () => {}' });
    const said = await place.loadctl(['seed', '--env', 'dev'], { REDIS_URL: at('good') });
    expect(said, said.stderr).toMatchObject({ code: 115, stdout: '' });
    expect(said.stderr).toMatch(/error: cache: the certificate of localhost:\d+ is not trusted.*\nhint: /);
    expect(said.stderr).not.toContain(token);
  });
});

describe('a cluster over TLS', () => {
  test('nodes that announce addresses are verified by the names that the profile lists', async () => {
    const cluster = await startRedisCluster({ tls: signed('by-name'), password: token, replicas: false });
    try {
      const listed = cluster.primaries.map(({ port }) => `localhost:${port}`);
      const named = profile({ cluster: listed.slice(0, 1), password: token, tls: tls() });
      expect((await seed(dataContext(named))).stores).toMatchObject([{ created: 10 }]);
      expect((await cleanup(dataContext(named), { dryRun: false, seeded: true })).receipt.proven).toBe(true);
      const unnamed = profile({ cluster: cluster.primaries.map(({ address }) => address), password: token, tls: tls() });
      await expect(seed(dataContext(unnamed))).rejects.toMatchObject({
        reason: 'unavailable',
        message: expect.stringMatching(/for another name/),
      });
      const untrusted = profile({ cluster: listed, password: token, tls: {} });
      await expect(seed(dataContext(untrusted))).rejects.toMatchObject({
        reason: 'unavailable',
        message: expect.stringMatching(/not trusted/),
      });
      const plain = profile({ cluster: listed, password: token });
      await expect(seed(dataContext(plain))).rejects.toMatchObject({
        reason: 'unavailable',
        message: expect.stringMatching(/requires TLS/),
      });
    } finally {
      await cluster.stop();
    }
  });

  test('nodes that announce names are reached and verified by them', async () => {
    const words = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'];
    const cluster = await startRedisCluster({ tls: signed('by-name-and-address'), words, replicas: false });
    try {
      const { port } = cluster.primaries[0] ?? expect.unreachable();
      const context = dataContext(profile({ cluster: [`127.0.0.1:${port}`], tls: tls() }));
      await seed(context);
      const { receipt } = await cleanup(context, { dryRun: false, seeded: true });
      expect(receipt.keys.map(({ node }) => node.replace(/:\d+/, ''))).toEqual(Array.from({ length: 6 }, () => 'localhost'));
    } finally {
      await cluster.stop();
    }
  });
});
