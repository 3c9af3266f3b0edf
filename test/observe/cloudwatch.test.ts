import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bare, type CloudWatchStandIn, inEnvironment, knownKey, rdsProfile as rds, startCloudWatch } from '../servers/cloudwatch.js';
import { sessionOfInstance, startInstanceMetadata } from '../servers/instance-metadata.js';
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

  test('takes the credentials of the instance (IMDSv2, by a stand-in that speaks it), and keeps them out of everything', async () => {
    const [aws, instance] = [await startCloudWatch(), await startInstanceMetadata()];
    aws.values = () => 40;
    const at = await watchedPlace(rds(aws), '3s');
    const env = { ...at.env, HOME: at.folder, AWS_EC2_METADATA_SERVICE_ENDPOINT: instance.url, AWS_EC2_METADATA_V1_DISABLED: 'true' };
    const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors'], env);
    expect(looked, looked.stdout + looked.stderr).toMatchObject({ code: 0 });
    expect(instance.asked).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/ with its token',
      'GET /latest/meta-data/iam/security-credentials/load-test-role with its token',
    ]);
    expect(aws.requests.at(-1)?.token).toBe(sessionOfInstance);
    const said = await at.loadctl(['run', '--env', 'dev'], env);
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 111 });
    expect(aws.requests.map(({ token }) => token)).toEqual(aws.requests.map(() => sessionOfInstance));
    const all = secretSearch([
      { name: 'secret key', text: knownKey.secretAccessKey },
      { name: 'session', text: sessionOfInstance },
    ]);
    expect(searchFolder(join(at.folder, '.loadctl'), all)).toEqual([]);
    expect(all(said.stdout + said.stderr + looked.stdout + looked.stderr)).toEqual([]);
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

  const refusals: Record<string, readonly [change: (aws: CloudWatchStandIn) => void, message: RegExp, fix: RegExp]> = {
    strange: [(aws) => aws.keys.clear(), /does not accept the AWS credentials/, /sts get-caller-identity/],
    wrongKey: [(aws) => aws.keys.set(knownKey.accessKeyId, 'another'), /does not accept the AWS credentials/, /sts get-caller-identity/],
    right: [(aws) => Object.assign(aws, { mode: 'deny' }), /may not ask it/, /cloudwatch:GetMetricData/],
    throttled: [(aws) => Object.assign(aws, { throttled: 1000 }), /too many questions/, /every: 2m/],
    hanging: [(aws) => Object.assign(aws, { mode: 'hang' }), /no answer in time/, /Correct the region/],
    nothing: [
      (aws) => Object.assign(aws, { values: () => undefined }),
      /no point of instance shop in eu-central-1/,
      /Correct instance or region/,
    ],
  };

  test('says of what refuses it, hangs or knows nothing where it is written, and the fix', async () => {
    const monitors = await Promise.all(
      Object.entries(refusals).map(async ([name, [change]]) => {
        const aws = await startCloudWatch();
        aws.values = () => 40;
        change(aws);
        return `  ${name}: {kind: cloudwatch, region: eu-central-1, instance: shop, url: "${aws.url}"}\n`;
      }),
    );
    const at = await watchedPlace(`monitors:\n${monitors.join('')}`);
    const looked = await at.loadctl(['doctor', '--env', 'dev', '--monitors', '--json'], { ...at.env, HOME: at.folder, ...inEnvironment });
    expect(looked, looked.stdout + looked.stderr).toMatchObject({ code: 115 });
    const findings = (JSON.parse(looked.stdout) as { monitors: { what: string; said: string; more: string }[] }).monitors;
    for (const [name, [, message, fix]] of Object.entries(refusals)) {
      const { said = '', more = '' } = findings.find(({ what }) => what === name) ?? {};
      expect(said).toMatch(/^profiles\/dev\.yaml:\d+: /);
      expect(said).toMatch(message);
      expect(more).toMatch(fix);
    }
    expect(search(looked.stdout + looked.stderr)).toEqual([]);
  });

  test('without credentials refuses a run, with the fix', async () => {
    const aws = await startCloudWatch();
    const at = await watchedPlace(rds(aws));
    const said = await at.loadctl(['run', '--env', 'dev'], { ...at.env, HOME: at.folder, ...bare });
    expect(said, said.stdout + said.stderr).toMatchObject({ code: 115 });
    expect(said.stderr).toMatch(/The monitor rds \(profiles\/dev\.yaml:\d+\) cannot look at eu-central-1\/shop/);
    expect(said.stderr).toMatch(/no AWS credentials/);
    expect(said.stderr).toMatch(/Set AWS_PROFILE/);
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
