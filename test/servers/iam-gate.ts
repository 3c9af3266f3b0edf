import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { sslRequest } from './certificates.js';

/** What the gate lets in by: the key pair of an AWS identity, and where it stands. */
export interface IamGateOptions {
  readonly keyId: string;
  readonly secretKey: string;
  readonly region: string;
  /** The name that clients reach it by: tokens are signed for it. */
  readonly host: string;
  readonly certificate: { readonly cert: string; readonly key: string };
  /** The port on 127.0.0.1 of the Postgres behind it, which trusts every role that is let through. */
  readonly postgresPort: number;
}

/** A token that somebody logged in with, and how old it was then. */
export interface SeenToken {
  readonly role: string;
  readonly token: string;
  readonly ageMs: number;
}

/** Stands in front of a Postgres as RDS does with IAM authentication; what it knows of it is its published protocol. */
export interface IamGate {
  readonly port: number;
  /** One for each connection that was let through. */
  readonly admitted: readonly SeenToken[];
  /** Why others were not. */
  readonly refused: readonly string[];
}

/**
 * Starts the gate: TLS only, a password in clear text inside it, which must be a token that was presigned with Signature
 * Version 4 for this host, port, region and role, and is not over; then everything is relayed. It is no RDS: there is none here.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export async function startIamGate(options: IamGateOptions): Promise<IamGate> {
  const admitted: SeenToken[] = [];
  const refused: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.once('close', () => open.delete(socket)));
    socket.on('error', () => socket.destroy());
    void admit(socket).catch((error: Error) => {
      refused.push(error.message);
      socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  async function admit(plain: Socket): Promise<void> {
    const client = await secured(plain, options);
    if (client === undefined) return;
    const startup = await nextMessage(client, 0);
    if (startup === undefined) return;
    const role = parametersOf(startup).get('user') ?? '';
    client.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])); // AuthenticationCleartextPassword
    const password = await nextMessage(client, 1);
    const token = password?.subarray(5, -1).toString() ?? '';
    const wrong = whatIsWrong(token, role, { ...options, port });
    if (wrong !== undefined) {
      refused.push(wrong);
      client.end(fatal(`PAM authentication failed for user "${role}"`));
      return;
    }
    admitted.push({ role, token, ageMs: Date.now() - signedAt(token) });
    relay(client, connect(options.postgresPort, '127.0.0.1'), startup);
  }

  return { port, admitted, refused };
}

/** The client's connection inside TLS; undefined for one that only asked whether there is TLS, or would not speak it. */
async function secured(plain: Socket, { certificate }: IamGateOptions): Promise<TLSSocket | undefined> {
  const first = await nextMessage(plain, 0);
  if (first === undefined) return undefined;
  if (!first.equals(sslRequest)) {
    plain.end(fatal('no pg_hba.conf entry for this host, no encryption'));
    return undefined;
  }
  plain.write('S');
  const secure = new TLSSocket(plain, { isServer: true, secureContext: createSecureContext(certificate) });
  secure.on('error', () => secure.destroy());
  return secure;
}

/** A message of the protocol with its header: `kind` bytes, then its length. Undefined where the connection ends first. */
async function nextMessage(socket: Socket, kind: 0 | 1): Promise<Buffer | undefined> {
  let read = Buffer.alloc(0);
  while (read.length < kind + 4 || read.length < kind + read.readUInt32BE(kind)) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) read = Buffer.concat([read, chunk]);
    else if (socket.readableEnded || socket.destroyed) return undefined;
    else await Promise.race([once(socket, 'readable'), once(socket, 'close')]).catch(() => undefined); // a reset ends it, too
  }
  return read;
}

function parametersOf(startup: Buffer): Map<string, string> {
  const words = startup.subarray(8).toString().split('\0');
  return new Map(Array.from({ length: words.length >> 1 }, (_, index) => [words[2 * index] ?? '', words[2 * index + 1] ?? '']));
}

function fatal(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C28000\0M${message}\0\0`);
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

function relay(client: Socket, postgres: Socket, startup: Buffer): void {
  postgres.write(startup);
  client.pipe(postgres);
  postgres.pipe(client);
  for (const [one, other] of [
    [client, postgres],
    [postgres, client],
  ] as const)
    one.once('close', () => other.destroy()).on('error', () => other.destroy());
}

interface Door extends IamGateOptions {
  readonly port: number;
}

/** Why a token does not let this role in; undefined where it does. */
function whatIsWrong(token: string, role: string, { keyId, secretKey, region, host, port }: Door): string | undefined {
  if (!URL.canParse(`https://${token}`)) return 'no token';
  const url = new URL(`https://${token}`);
  const query = url.searchParams;
  const [id, day, ...rest] = (query.get('X-Amz-Credential') ?? '').split('/');
  const ageMs = Date.now() - signedAt(token);
  const checks: readonly (readonly [good: boolean, wrong: string])[] = [
    [url.host === `${host}:${port}` && url.pathname === '/', `for ${url.host}`],
    [query.get('Action') === 'connect' && query.get('DBUser') === role, `for the role ${query.get('DBUser')}`],
    [rest.join('/') === `${region}/rds-db/aws4_request`, `for ${rest.join('/')}`],
    [ageMs > -60_000 && ageMs < Math.min(900, Number(query.get('X-Amz-Expires'))) * 1000, 'expired'],
    [id === keyId, 'an unknown key'],
    [query.get('X-Amz-Signature') === signatureOf(url, day ?? '', secretKey), 'a wrong signature'],
  ];
  return checks.find(([good]) => !good)?.[1];
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
function signatureOf(url: URL, day: string, secretKey: string): string {
  const pairs = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature');
  const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).sort();
  const scope = (url.searchParams.get('X-Amz-Credential') ?? '').split('/').slice(1);
  const request = ['GET', '/', query.join('&'), `host:${url.host}`, '', 'host', sha256('')].join('\n');
  const text = ['AWS4-HMAC-SHA256', url.searchParams.get('X-Amz-Date'), scope.join('/'), sha256(request)].join('\n');
  const hmac = (key: Buffer | string, part: string) => createHmac('sha256', key).update(part).digest();
  const key = [day, ...scope.slice(1)].reduce<Buffer | string>(hmac, `AWS4${secretKey}`);
  return hmac(key, text).toString('hex');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** `20261123T215900Z` of the token, in epoch milliseconds. */
function signedAt(token: string): number {
  const [, date = '', time = ''] = /X-Amz-Date=(\d{8})T(\d{6})Z/.exec(token) ?? [];
  return Date.parse(`${date.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`);
}
