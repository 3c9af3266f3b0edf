import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bare, type CloudWatchStandIn, inEnvironment, knownKey, rdsProfile as rds, startCloudWatch } from '../servers/cloudwatch.js';
import { searchFolder, secretSearch } from '../support/secret-search.js';
import { type WatchedPlace, watchedPlace } from '../support/watched-run.js';

const search = secretSearch([{ name: 'secret key', text: knownKey.secretAccessKey }]);

async function look(at: WatchedPlace, env: Record<string, string>) {
  return at.loadctl(['doctor', '--env', 'dev', '--monitors'], { ...at.env, HOME: at.folder, ...env });
}

describe('the first look', () => {
  test('asks for RDS and ElastiCache, signed with the credentials of the environment', async () => {
    const aws = await startCloudWatch();
    aws.values = () => 40;
    const at = await watchedPlace(
      `${rds(aws)}`.replace(
        'critical',
        `  cache: {kind: cloudwatch, region: eu-central-1, cluster: [a-001, a-002], url: "${aws.url}"}\ncritical`,
      ),
    );
    const said = await look(at, inEnvironment);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
    for (const source of ['eu-central-1/shop', 'eu-central-1/a-001', 'eu-central-1/a-002']) expect(said.stdout).toContain(source);
    expect(aws.asked).toContain('AWS/RDS CPUUtilization DBInstanceIdentifier=shop Average');
    expect(aws.asked).toContain('AWS/RDS DatabaseConnections DBInstanceIdentifier=shop Maximum');
    expect(aws.asked).toContain('AWS/ElastiCache EngineCPUUtilization CacheClusterId=a-002 Average');
    expect(aws.requests[0]?.userAgent).toContain('loadctl/doctor');
  });

  test.each([
    ['a profile of AWS', 'AWS_PROFILE', undefined],
    ['a container', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'token-of-a-container'],
  ])('takes the credentials of %s, as the SDK does', async (_, variable, token) => {
    const aws = await startCloudWatch();
    aws.values = () => 40;
    const at = await watchedPlace(rds(aws));
    at.file('.aws/config', '[profile load]\nregion = eu-central-1\n');
    const { accessKeyId, secretAccessKey } = knownKey;
    at.file('.aws/credentials', `[load]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
    const said = await look(at, { ...bare, [variable]: variable === 'AWS_PROFILE' ? 'load' : await containerCredentials() });
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
    expect(aws.requests.at(-1)?.token).toBe(token);
  });

  test('takes the credentials of the profile, which stand in no file and no message', async () => {
    const aws = await startCloudWatch();
    aws.values = () => 40;
    const at = await watchedPlace(
      rds(aws, `, credentials: {accessKeyId: "\${KEY_ID}", secretAccessKey: "\${KEY}", sessionToken: "\${KEY_SESSION}"}`),
      '3s',
    );
    const env = { ...at.env, ...bare, KEY_ID: knownKey.accessKeyId, KEY: knownKey.secretAccessKey, KEY_SESSION: 's3ss10n-token-of-a-role' };
    const said = await at.loadctl(['run', '--env', 'dev'], env);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(aws.requests[0]?.token).toBe('s3ss10n-token-of-a-role');
    const all = secretSearch([
      { name: 'secret key', text: knownKey.secretAccessKey },
      { name: 'key', text: knownKey.accessKeyId },
      { name: 'session', text: 's3ss10n-token-of-a-role' },
    ]);
    expect(searchFolder(join(at.folder, '.loadctl'), all)).toEqual([]);
    expect(all(said.stdout + said.stderr)).toEqual([]);
    // A run keeps no secrets: to ask once more takes the profile.
    const again = await at.loadctl(['verify', '--fetch'], { ...at.env, ...bare });
    expect(again).toMatchObject({ code: 2 });
    expect(again.stderr).toMatch(/verify \S+ --fetch --env dev/);
    const named = await at.loadctl(['verify', '--fetch', '--env', 'dev'], env);
    expect(named, named.stderr).toMatchObject({ code: 111 });
    expect(named.stderr).toMatch(/rds: \d points? of eu-central-1\/shop/);
  });

  test.each<[string, Record<string, string>, (aws: CloudWatchStandIn) => void, RegExp, RegExp]>([
    ['no credentials', bare, () => {}, /no AWS credentials/, /Set AWS_PROFILE/],
    [
      'an unknown key',
      { ...inEnvironment, AWS_ACCESS_KEY_ID: 'AKIDSTRANGER' },
      () => {},
      /does not accept the AWS credentials/,
      /sts get-caller-identity/,
    ],
    [
      'a wrong key',
      inEnvironment,
      (aws) => aws.keys.set(knownKey.accessKeyId, 'another'),
      /does not accept the AWS credentials/,
      /sts get-caller-identity/,
    ],
    [
      'a missing right',
      inEnvironment,
      (aws) => {
        aws.mode = 'deny';
      },
      /may not ask it/,
      /cloudwatch:GetMetricData/,
    ],
    [
      'throttling without end',
      inEnvironment,
      (aws) => {
        aws.throttled = 1000;
      },
      /too many questions/,
      /every: 2m/,
    ],
    [
      'no answer',
      inEnvironment,
      (aws) => {
        aws.mode = 'hang';
      },
      /no answer in time/,
      /Correct the region/,
    ],
    [
      'a name without points',
      inEnvironment,
      (aws) => {
        aws.values = () => undefined;
      },
      /no point of instance shop in eu-central-1/,
      /Correct instance or region/,
    ],
  ])('says of %s where it is written, and the fix', async (_, env, change, message, fix) => {
    const aws = await startCloudWatch();
    aws.values = () => 40;
    change(aws);
    const at = await watchedPlace(rds(aws));
    const said = await at.loadctl(['run', '--env', 'dev'], { ...at.env, HOME: at.folder, ...env });
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 115 });
    expect(said.stderr).toMatch(/The monitor rds \(profiles\/dev\.yaml:\d+\) cannot look at eu-central-1\/shop/);
    expect(said.stderr).toMatch(message);
    expect(said.stderr).toMatch(fix);
    expect(search(said.stdout + said.stderr)).toEqual([]);
    const looked = await look(at, env);
    expect(looked.code).toBe(115);
    expect(looked.stdout).toMatch(message);
    expect(looked.stdout).toMatch(/profiles\/dev\.yaml:\d+/);
  });

  test('that is throttled twice is asked a third time', async () => {
    const aws = await startCloudWatch();
    aws.values = () => 40;
    aws.throttled = 2;
    const said = await look(await watchedPlace(rds(aws)), inEnvironment);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 0 });
    expect(aws.requests.length).toBe(3);
  });
});

/** What ECS and EKS answer a container that asks for its credentials. */
async function containerCredentials(): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = knownKey;
    response.end(
      JSON.stringify({
        AccessKeyId,
        SecretAccessKey,
        Token: 'token-of-a-container',
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/role`;
}
