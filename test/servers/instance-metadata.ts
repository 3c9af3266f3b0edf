import { createServer, type IncomingMessage, type Server } from 'node:http';
import { knownKey } from './cloudwatch.js';
import { listening } from './depth-server.js';

/** A stand-in for the metadata of an EC2 instance, which only instances have. */
export interface InstanceMetadata {
  readonly url: string;
  /** What it was asked, in order, and whether with its token. */
  readonly asked: string[];
}

const role = 'load-test-role';
/** What it hands out besides the key that every stand-in for CloudWatch knows. */
export const sessionOfInstance = 'imdsFirst8qk+token/imdsLast4z==';

/**
 * Starts a local server that speaks version 2 of the instance metadata service (IMDSv2), as AWS documents it: a token by PUT that lives
 * as long as is asked for, without which every GET is 401; below `iam/security-credentials/` the role's name, and its credentials. Until
 * the test is over.
 */
export async function startInstanceMetadata(): Promise<InstanceMetadata> {
  const asked: string[] = [];
  const token = 'AQAEALoadctlTestToken==';
  const server: Server = createServer((request, response) => {
    const hasToken = request.headers['x-aws-ec2-metadata-token'] === token;
    asked.push(`${request.method} ${request.url}${hasToken ? ' with its token' : ''}`);
    const answer = request.method === 'PUT' ? tokenFor(request, token) : hasToken ? answerTo(request.url ?? '') : 401;
    if (typeof answer === 'number') response.writeHead(answer).end();
    else response.end(answer);
  });
  return { url: `http://127.0.0.1:${await listening(server)}`, asked };
}

function tokenFor({ url, headers }: IncomingMessage, token: string): string | number {
  const seconds = Number(headers['x-aws-ec2-metadata-token-ttl-seconds']);
  if (url !== '/latest/api/token') return 404;
  return seconds >= 1 && seconds <= 21_600 && headers['x-forwarded-for'] === undefined ? token : 400;
}

function answerTo(path: string): string | number {
  const credentials = '/latest/meta-data/iam/security-credentials/';
  if (path === credentials) return role;
  if (path !== credentials + role) return 404;
  const [now, later] = [0, 6 * 3_600_000].map((ms) => new Date(Date.now() + ms).toISOString());
  const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = knownKey;
  const key = { AccessKeyId, SecretAccessKey, Token: sessionOfInstance };
  return JSON.stringify({ Code: 'Success', LastUpdated: now, Type: 'AWS-HMAC', ...key, Expiration: later });
}
