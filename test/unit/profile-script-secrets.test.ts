import { describe, expect, test } from 'vitest';
import { least, load, planHere } from './profile-files.js';

const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n';

/** A variable of the script, the environment that it may come from, how it is shown, and what is kept secret of it. */
const cases: readonly (readonly [yaml: string, env: Record<string, string>, shown: string, secrets: readonly string[]])[] = [
  ['RATE: 40', {}, '40', []],
  ['MODE: checkout', {}, 'checkout', []],
  ['VERSION: 1.10', {}, '1.10', []],
  ['FE_URL: "http://127.0.0.1:8080"', {}, 'http://127.0.0.1:8080', []],
  ['SHOP_PASSWORD: hunter22', {}, '[redacted]', ['hunter22']],
  ['shopToken: 123456', {}, '[redacted]', ['123456']],
  ['API_KEY: "${X:-public}"', {}, 'public', []],
  ['AUTH_URL: "http://auth.example.com:9000"', {}, 'http://auth.example.com:9000', []],
  ['TOKEN_TTL: 30s', {}, '30s', []],
  ['DB: "postgres://app:hunter22@h/x"', {}, 'postgres://app:[redacted]@h/x', ['hunter22', 'YXBwOmh1bnRlcjIy']],
  [`PEM: ${JSON.stringify(key)}`, {}, '[redacted]', [key]],
  ['RATE: "${RATE}"', { RATE: '40' }, '40', []],
  ['RATE: "${RATE}"', { RATE: '-1.5e3' }, '-1.5e3', []],
  ['SHARE: "${SHARE}"', { SHARE: '12.5%' }, '12.5%', []],
  ['THINK: "${THINK}"', { THINK: '1m30s' }, '1m30s', []],
  ['PACE: "${PACE}"', { PACE: '100/s' }, '100/s', []],
  ['ON: "${ON}"', { ON: 'true' }, 'true', []],
  ['HOST: "${HOST}"', { HOST: 'staging-2.example.com' }, 'staging-2.example.com', []],
  ['HOST: "${HOST}"', { HOST: 'redis-1:6379' }, 'redis-1:6379', []],
  ['HOST: "${HOST}"', { HOST: '10.0.0.7' }, '10.0.0.7', []],
  ['HOST: "${HOST}"', { HOST: '[::1]:8080' }, '[::1]:8080', []],
  ['URL: "${URL}/api"', { URL: 'https://staging.example.com' }, 'https://staging.example.com/api', []],
  ['MODE: "${MODE:-smoke}"', {}, 'smoke', []],
  ['HOOK: "${HOOK}"', { HOOK: 'https://hooks.example.com/T000/XXXX' }, '[redacted]', ['https://hooks.example.com/T000/XXXX']],
  ['WORD: "${WORD}"', { WORD: 'checkout' }, '[redacted]', ['checkout']],
  ['LONG: "${LONG}"', { LONG: '1234567890123456' }, '[redacted]', ['1234567890123456']],
  ['JWT: "${SIGNED}"', { SIGNED: 'eyJhbGciOi.eyJzdWIi.SflKxw' }, '[redacted]', ['eyJhbGciOi.eyJzdWIi.SflKxw']],
  ['PIN: "${SHOP_TOKEN}"', { SHOP_TOKEN: '4711' }, '[redacted]', ['4711']],
  ['TEXT: "user ${NAME} of ${RATE}"', { NAME: 'ann', RATE: '7' }, 'user [redacted] of 7', ['ann']],
  ['AUTH: "Bearer ${WHO}"', { WHO: 'ann' }, '[redacted]', ['Bearer ann', 'ann']],
];

describe('a variable of the script', () => {
  test.each(cases)('%s with %o is shown as %s', (yaml, env, shown, secrets) => {
    const name = yaml.slice(0, yaml.indexOf(':'));
    const loaded = load({ 'test.yaml': `${least}  env: {${yaml}}\n` }, { env });
    expect(planHere(loaded).env).toEqual({ [name]: shown });
    expect(loaded.redacted).toMatchObject({ workload: { env: { [name]: shown } } });
    expect([...loaded.secrets].sort()).toEqual([...secrets].sort());
  });

  test.each([
    [['RATE=40'], { RATE: '40' }],
    [['MODE=checkout'], { MODE: 'checkout' }],
    [['SHOP_TOKEN=t0ken'], { SHOP_TOKEN: '[redacted]' }],
    [['INHERITED'], { INHERITED: '[redacted]' }],
    [['RATE'], { RATE: '7' }],
  ])('of -e %o', (scriptEnv, shown) => {
    const loaded = load({ 'test.yaml': least }, { scriptEnv, env: { INHERITED: 'an-inherited-word', RATE: '7' } });
    expect(loaded.shown.workload.env).toEqual(shown);
    expect(loaded.overrides).toEqual(Object.entries(shown).map(([name, value]) => ({ path: `workload.env.${name}`, value })));
  });

  test('that is a secret by its name leaves the plan as it is without it; one that may be a number is in the hash', () => {
    const texts = { 'test.yaml': `${least}  env: {SHOP_KEY: "\${SHOP_KEY}", RATE: "\${RATE}"}\n` };
    const plan = (env: Record<string, string>) => planHere(load(texts, { env, secrets: 'optional' }));
    expect(plan({ SHOP_KEY: 'word-1', RATE: '40' })).toEqual(plan({ RATE: '40' }));
    expect(plan({ SHOP_KEY: 'word-1', RATE: '40' }).hash).not.toBe(plan({ SHOP_KEY: 'word-1' }).hash);
    expect(plan({}).env).toEqual({ SHOP_KEY: '[redacted]', RATE: '${RATE}' });
  });
});

test('what anybody may read in a profile is known, so that a password may be spelled like it', () => {
  const { openWords } = load({
    'test.yaml': `${least}stores: {db: {kind: postgres, url: "postgres://app:postgres@db.example.com/shop"}}\n`,
  });
  expect(openWords).toEqual(expect.arrayContaining(['postgres', 'app', 'shop', 'db.example.com', 'db', 'workload', 'test']));
});
