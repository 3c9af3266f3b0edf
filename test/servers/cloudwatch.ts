import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Whose metric is asked for: `AWS/RDS CPUUtilization DBInstanceIdentifier=shop Average`. */
export type MetricName = string;

/** What a stand-in for CloudWatch is asked and does; the real one is not to be had for a test. */
export interface CloudWatchStandIn {
  readonly url: string;
  /** A value of a metric in the minute that begins at this moment (epoch ms); undefined where there is no point. */
  values: (metric: MetricName, minute: number) => number | undefined;
  /** How long after its end a minute has a point. */
  lateMs: number;
  mode: 'well' | 'hang' | 'deny';
  /** So many further questions are throttled. */
  throttled: number;
  /** The access keys that it knows, with their secrets. */
  readonly keys: Map<string, string>;
  /** Metrics that were asked for, in order. */
  readonly asked: MetricName[];
  readonly requests: { readonly userAgent: string; readonly token: string | undefined }[];
}

/** The key that every stand-in knows. */
export const knownKey = { accessKeyId: 'AKIDLOADCTLTEST', secretAccessKey: 'wJalrXUtnFEMI/s3cr3t/bPxRfiCYEXAMPLEKEY' };

/** No instance metadata: what is not in the environment is nowhere. */
export const bare = { AWS_EC2_METADATA_DISABLED: 'true' };

/** The known key, as every AWS tool finds it. */
export const inEnvironment = { ...bare, AWS_ACCESS_KEY_ID: knownKey.accessKeyId, AWS_SECRET_ACCESS_KEY: knownKey.secretAccessKey };

/** The lines of a profile that watches an RDS there; `more` words of the monitor begin with a comma. */
export const rdsProfile = ({ url }: Pick<CloudWatchStandIn, 'url'>, more = '') =>
  `monitors:\n  rds: {kind: cloudwatch, region: eu-central-1, instance: shop, url: "${url}"${more}}\ncritical: {cpu: < 80%}\n`;

/** The minute of a moment. */
export const minuteOf = (at: number) => Math.floor(at / 60_000) * 60_000;

interface Question {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly MetricDataQueries: readonly {
    readonly Id: string;
    readonly MetricStat: {
      readonly Metric: { Namespace: string; MetricName: string; Dimensions: readonly { Name: string; Value: string }[] };
      readonly Period: number;
      readonly Stat: string;
    };
  }[];
}

/**
 * Starts a local server that speaks AwsJson1_0 as the AWS SDK does with CloudWatch: `POST /` with `X-Amz-Target`, signed with AWS
 * Signature Version 4, which is checked; errors by `__type`. Until the test is over.
 */
export async function startCloudWatch(): Promise<CloudWatchStandIn> {
  const standIn: CloudWatchStandIn & { url: string } = {
    url: '',
    values: () => undefined,
    lateMs: 0,
    mode: 'well',
    throttled: 0,
    keys: new Map([[knownKey.accessKeyId, knownKey.secretAccessKey]]),
    asked: [],
    requests: [],
  };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => answer(standIn, request, Buffer.concat(pieces), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  standIn.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return standIn;
}

function answer(standIn: CloudWatchStandIn, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const header = (name: string) => [request.headers[name]].flat().join(',');
  const { 'x-amz-security-token': token } = request.headers;
  standIn.requests.push({ userAgent: header('user-agent'), token: [token].flat()[0] });
  if (standIn.mode === 'hang') return;
  const refused = refusalOf(standIn, request, body);
  if (refused === undefined)
    reply(response, 200, { MetricDataResults: results(standIn, JSON.parse(body.toString('utf8')) as Question), Messages: [] });
  else reply(response, refused.status, { __type: `com.amazonaws.cloudwatch#${refused.type}`, message: `it says no: ${refused.type}` });
}

function refusalOf(standIn: CloudWatchStandIn, request: IncomingMessage, body: Buffer): { status: number; type: string } | undefined {
  const target = [request.headers['x-amz-target']].flat()[0];
  if (target !== 'GraniteServiceVersion20100801.GetMetricData') return { status: 400, type: 'UnknownOperationException' };
  if (standIn.throttled > 0) {
    standIn.throttled -= 1;
    return { status: 400, type: 'ThrottlingException' };
  }
  const wrong = wrongSignature(standIn.keys, request, body);
  if (wrong !== undefined) return { status: 403, type: wrong };
  return standIn.mode === 'deny' ? { status: 403, type: 'AccessDeniedException' } : undefined;
}

function reply(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'local' });
  response.end(JSON.stringify(content));
}

function results(standIn: CloudWatchStandIn, { StartTime, EndTime, MetricDataQueries }: Question) {
  return MetricDataQueries.map(({ Id, MetricStat: { Metric, Period, Stat } }) => {
    const [dimension] = Metric.Dimensions;
    const name = `${Metric.Namespace} ${Metric.MetricName} ${dimension?.Name}=${dimension?.Value} ${Stat}`;
    standIn.asked.push(name);
    const points: { at: number; value: number }[] = [];
    for (let at = minuteOf(StartTime * 1000); at < EndTime * 1000; at += Period * 1000) {
      const value = at + 60_000 + standIn.lateMs <= Date.now() ? standIn.values(name, at) : undefined;
      if (value !== undefined) points.push({ at, value });
    }
    return {
      Id,
      Label: Metric.MetricName,
      StatusCode: 'Complete',
      Timestamps: points.map(({ at }) => at / 1000),
      Values: points.map(({ value }) => value),
    };
  });
}

const signed =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/(\w+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html; the type of AWS' error where it is wrong. */
function wrongSignature(keys: ReadonlyMap<string, string>, { method, headers }: IncomingMessage, body: Buffer): string | undefined {
  const [, key = '', date = '', region = '', service = '', names = '', signature] = signed.exec(headers.authorization ?? '') ?? [];
  const secret = keys.get(key);
  if (secret === undefined) return 'UnrecognizedClientException';
  const hash = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  const lines = names.split(';').map((name) => `${name}:${[headers[name]].flat().join(',').trim()}\n`);
  const canonical = [method, '/', '', lines.join(''), names, hash(body)].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n');
  const signingKey = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (from, part) => createHmac('sha256', from).update(part).digest(),
    `AWS4${secret}`,
  );
  const right = createHmac('sha256', signingKey).update(toSign).digest('hex');
  return signature === right && service === 'monitoring' ? undefined : 'InvalidSignatureException';
}
