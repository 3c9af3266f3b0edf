import { describe, expect, test } from 'vitest';
import { scriptVariables } from '../../src/k6/script-variables.js';
import { accessTo, withSecrets } from '../../src/plan/access.js';
import type { Plan } from '../../src/plan/plan.js';
import { plannedSections } from '../../src/plan/sections.js';
import { loadTarget } from '../../src/plan/target.js';
import { runId } from '../support/ids.js';
import { load, planHere } from './profile-files.js';

const secret = {
  TARGET_PASSWORD: 'hunter22',
  BYPASS_KEY: 'signing-key',
  SHOP_TOKEN: 'shop-token',
  TLS_PASSPHRASE: 'open-sesame',
  SEED_TOKEN: 'seeded-token',
  DB_PASSWORD: 'db-password',
  KEY_PREFIX: 'secretly-named',
};

/** A secret wherever a plan could hold one. */
const everywhere = `target: {url: "http://ann:\${TARGET_PASSWORD}@127.0.0.1:8080/api", health: "/healthz?token=health-token"}
workload:
  script: k6.ts
  vus: 2
  duration: 10s
  endpoints: {home: "GET /\${KEY_PREFIX}"}
  mix: {home: 100%}
  env: {SHOP: "\${SHOP_TOKEN}", MODE: checkout}
  options: {tlsAuth: [{domains: [a, b], password: "\${TLS_PASSPHRASE}"}], discardResponseBodies: true}
users: {strategy: bypass, key: "\${BYPASS_KEY}", header: x-load-test}
stores: {db: {kind: postgres, url: "postgres://app:\${DB_PASSWORD}@127.0.0.1/shop"}}
seed: {users: {table: db.users, rows: 5, columns: {id: "user-{n}", token: "\${SEED_TOKEN}-{n}"}}}
runners: {backend: ssh, hosts: ["\${KEY_PREFIX}.example.com"], k6: ./k6, sshConfig: ./ssh_config}
`;

const loaded = load({ 'test.yaml': everywhere }, { env: secret });
/** As somebody loads it who has none of the secrets, but for what a template of the seed cannot be read without. */
const without = (env: Record<string, string> = {}) =>
  load({ 'test.yaml': everywhere }, { env: { SEED_TOKEN: secret.SEED_TOKEN, ...env }, secrets: 'optional' });
/** What the plan takes over from the profile: names of requests and hosts are what they are. */
const shownParts = ({ hash: _, endpoints: _e, hosts: _h, beyondLoopback: _b, ...plan }: Plan) => plan;

describe('a plan', () => {
  const plan = planHere(loaded);

  test('says what it does, and [redacted] where a secret is', () => {
    expect(plan).toMatchObject({
      target: {
        url: 'http://ann:[redacted]@127.0.0.1:8080/api',
        health: 'http://ann:[redacted]@127.0.0.1:8080/api/healthz?token=[redacted]',
      },
      env: { SHOP: '[redacted]', MODE: 'checkout' },
      options: { tlsAuth: [{ domains: ['a', 'b'], password: '[redacted]' }], discardResponseBodies: true },
      users: { strategy: 'bypass', key: '[redacted]', header: 'x-load-test', expires: 7_200_000 },
      seed: [{ kind: 'rows', columns: { id: 'user-{n}', token: '[redacted]-{n}' } }],
      fleet: { hosts: ['[redacted].example.com'] },
    });
    const text = JSON.stringify(shownParts(plan));
    for (const word of [...Object.values(secret), 'health-token']) expect(text, word).not.toContain(word);
  });

  test('is the same for who has the secrets and who has not', () => {
    expect(shownParts(planHere(without()))).toEqual(shownParts(plan));
    expect(planHere(without({ KEY_PREFIX: secret.KEY_PREFIX }))).toEqual(plan);
  });

  test('of this machine has nothing but where the script lies', () => {
    const { script, ...rest } = plan;
    expect(script).toBe('/w/profiles/k6.ts');
    expect(JSON.stringify(rest)).not.toMatch(/\/w\/|ssh_config|"k6"/);
  });
});

test('a command that tells the live colour runs with its secret, and is shown, hashed and written down without', () => {
  const text = `target:
  colours: {blue: "http://127.0.0.1:1", green: "http://127.0.0.1:2"}
  live: {command: "./which --as \${LIVE_TOKEN}"}
workload: {script: k6.ts}
`;
  const known = load({ 'test.yaml': text }, { env: { LIVE_TOKEN: 'live-token' } });
  const plan = planHere(known);
  expect(plan.target).toMatchObject({ live: { command: './which --as [redacted]', every: 10_000 } });
  expect(JSON.stringify(plan)).not.toContain('live-token');
  expect(planHere(load({ 'test.yaml': text }, { secrets: 'optional' }))).toEqual(plan);
  expect(withSecrets(plan, accessTo(known)).target).toMatchObject({ live: { command: './which --as live-token' } });
});

describe('the access to a plan', () => {
  const access = accessTo(loaded);

  test('puts every secret back in its place', () => {
    const whole = withSecrets(planHere(loaded), access);
    expect(whole).toMatchObject(plannedSections(loaded.profile));
    expect(whole.options).toEqual(loaded.profile.workload.options);
    expect(loadTarget(whole).url).toBe('http://ann:hunter22@127.0.0.1:8080/api');
  });

  test('fits a plan that somebody without the secrets made, and that was a file since', () => {
    const approved = JSON.parse(JSON.stringify(planHere(without()))) as Plan;
    expect(withSecrets(approved, access)).toMatchObject(plannedSections(loaded.profile));
  });

  test('leaves the plan as it was', () => {
    const plan = planHere(loaded);
    withSecrets(plan, access);
    expect(plan).toEqual(planHere(loaded));
  });

  test('knows what is this machine’s own', () => {
    expect(access.machine).toEqual({ k6: '/w/profiles/k6', sshConfig: '/w/profiles/ssh_config', folder: '/w/profiles' });
  });

  test('is small: a secret a place, and nothing else', () => {
    expect(access.secrets.map(({ path }) => path.join('.')).sort()).toEqual([
      'draws.endpoints.home',
      'env.SHOP',
      'fleet.hosts.0',
      'options.tlsAuth.0.password',
      'seed.0.columns.token',
      'target.health',
      'target.url',
      'users.key',
    ]);
  });

  test('gives the script all that its variables are made of', () => {
    const whole = withSecrets(planHere(loaded), access);
    expect(scriptVariables(whole, { run: runId('r1'), startedAt: 0, targetUrl: loadTarget(whole).url })).toEqual({
      BASE_URL: 'http://ann:hunter22@127.0.0.1:8080/api',
      LOADCTL_RUN: 'r1',
      LOADCTL_ENVIRONMENT: 'test',
      LOADCTL_RUNNERS: '1',
      LOADCTL_VIRTUAL_USER_PREFIX: 'load-test-user-r1-',
      LOADCTL_ENDPOINTS: '{"home":"GET /secretly-named"}',
      LOADCTL_MIX: '{"home":1}',
      LOADCTL_SESSIONS: '{}',
      LOADCTL_STEPS: '{}',
      LOADCTL_STRATEGY: 'bypass',
      LOADCTL_BYPASS_KEY: 'signing-key',
      LOADCTL_BYPASS_EXPIRES: '7200',
      LOADCTL_BYPASS_HEADER: 'x-load-test',
      SHOP: 'shop-token',
      MODE: 'checkout',
    });
  });
});
