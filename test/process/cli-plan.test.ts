import { cpSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

/** The shipped profiles, in a folder of their own. */
function shipped() {
  const place = workplace();
  for (const name of ['profiles', 'k6']) {
    cpSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), join(place.folder, name), {
      recursive: true,
      filter: (path) => !path.includes('build'),
    });
  }
  return place;
}

describe('plan', () => {
  test('of dev says load, endpoints and limits', async () => {
    const said = await shipped().loadctl(['plan', '--env', 'dev']);
    expect([said.code, said.stderr]).toEqual([0, '']);
    expect(said.stdout).toMatch(/^PLAN {2}dev {2}profiles\/dev.yaml · hash [0-9a-f]{12}$/m);
    expect(said.stdout).toMatch(/^ {2}POST \/payments +5\/s {2}writes$/m);
    expect(said.stdout).toMatch(/^ {2}all requests +125\/s {2}SLA: >= 90\/s$/m);
    expect(said.stdout).not.toContain('\x1b');
  });

  test.each(['dev', 'staging', 'prod'])('of %s needs no secrets, and nothing that is there', async (env) => {
    const said = await shipped().loadctl(['plan', '--env', env, '--json']);
    expect([said.code, said.stderr]).toEqual([0, '']);
    expect(JSON.parse(said.stdout)).toMatchObject({ version: 2, environment: env, exitCode: 0 });
  });

  test('as JSON is data: load, draws, fleet, rows and entries, rules', async () => {
    const { stdout } = await shipped().loadctl(['plan', '--env', 'prod', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      load: { vus: 30_000, duration: 1_800_000 },
      pacing: 1000,
      draws: { sessions: { browse: 0.8, reserve: 0.15, pay: 0.05 }, steps: { browse: ['read'] } },
      fleet: { backend: 'kubernetes', count: 30, onLost: 'abort', readyTimeout: expect.any(Number) },
      target: { colours: { blue: 'https://blue.prod.example.com' }, live: { url: 'https://prod.example.com/colour', every: 10_000 } },
      seed: expect.arrayContaining([expect.objectContaining({ kind: 'rows', table: 'users', rows: 1000 })]),
      cleanup: {
        prefix: 'load-test-user-',
        entries: expect.arrayContaining([
          { kind: 'rows', store: 'db', table: 'reservations', column: 'user_id', prefix: 'load-test-user-' },
          { kind: 'rows', store: 'db', table: 'payments', via: { store: 'db', table: 'reservations' } },
        ]),
      },
      abort: [{ when: { source: 'client' }, for: expect.any(Number), after: expect.any(Number) }],
    });
  });

  test('of prod says what is missing, and how much load it makes', async () => {
    const { stdout } = await shipped().loadctl(['plan', '--env', 'prod']);
    for (const word of ['DB_PASSWORD: missing', '37,500/s']) {
      expect(stdout).toContain(word);
    }
  });

  test('of prod says which two colours there are, how the live one is told, and that its hash needs no secrets', async () => {
    const place = shipped();
    const { stdout } = await place.loadctl(['plan', '--env', 'prod']);
    expect(stdout).toContain('blue: https://blue.prod.example.com');
    expect(stdout).toContain('GET https://prod.example.com/colour, its JSON; again every 10s while the load is on');
    expect(stdout).not.toContain('The plan hash depends on');
    const hashOf = async (args: string[], env: Record<string, string> = {}) =>
      (JSON.parse((await place.loadctl(['plan', '--env', 'prod', '--json', ...args], env)).stdout) as { hash: string }).hash;
    const plain = await hashOf([]);
    expect(await hashOf([], { DB_PASSWORD: 'open-sesame', REDIS_PASSWORD: 's3cret-too' })).toBe(plain);
    expect(await hashOf(['-e', 'FEATURE=on'])).not.toBe(plain);
    expect(await hashOf(['-e', 'FEATURE=on'])).not.toBe(await hashOf(['-e', 'FEATURE=off']));
    place.file('k6/reservations.ts', `${place.read('k6/reservations.ts')}// changed`);
    expect(await hashOf([])).not.toBe(plain);
  });

  test('says which missing variables the hash depends on', async () => {
    const place = workplace({
      'profiles/dev.yaml':
        'target: {url: "http://${TARGET}/"}\nworkload: {script: k6.js, env: {FEATURE: "${FEATURE}", TOKEN: "${TOKEN}"}}\n',
      'profiles/k6.js': '',
    });
    const { stdout } = await place.loadctl(['plan']);
    expect(stdout).toContain(
      'The plan hash depends on TARGET, FEATURE. Set them to the values the run will use before you approve the plan.',
    );
  });

  test('never shows a secret', async () => {
    const place = shipped();
    const env = { DB_PASSWORD: 'open-sesame', REDIS_PASSWORD: 's3cret-too' };
    for (const args of [
      ['plan', '--env', 'staging'],
      ['plan', '--env', 'staging', '--json', '--out', 'plan.json'],
    ]) {
      const said = await place.loadctl(args, env);
      expect(said.code).toBe(0);
      for (const text of [said.stdout, said.stderr]) expect(text).not.toMatch(/open-sesame|s3cret/);
    }
    expect(place.read('plan.json')).not.toMatch(/open-sesame|s3cret/);
    expect(statSync(join(place.folder, 'plan.json')).mode & 0o777).toBe(0o600);
  });

  test('the one profile there is needs no name', async () => {
    const place = workplace({
      'profiles/only.yaml': 'target: {url: http://127.0.0.1:1}\nworkload: {script: k6.js}\n',
      'profiles/k6.js': '',
    });
    expect(JSON.parse((await place.loadctl(['plan', '--json'])).stdout)).toMatchObject({ environment: 'only' });
  });

  test('refuses a test whose writes stay', async () => {
    const place = workplace({
      'profiles/dev.yaml': `target: {url: http://127.0.0.1:1}
workload: {script: k6.js, sessions: {pay: 100%}, steps: {pay: [POST /payments]}}
stores: {db: {kind: postgres, url: "postgres://127.0.0.1:1/x"}}
`,
      'profiles/k6.js': '',
    });
    const said = await place.loadctl(['plan']);
    expect(said).toMatchObject({ code: 112, stdout: '' });
    expect(said.stderr).toContain('cleanup.rows names no table');
  });
});
