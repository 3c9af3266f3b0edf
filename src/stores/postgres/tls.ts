import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { errorCode, LoadctlError } from '../../core/errors.js';
import type { PostgresStore } from '../../profile/schema.js';

type Mode = NonNullable<PostgresStore['tls']>['mode'];

/** TLS as a profile and a URL ask for it; the files are named, not read. */
export interface TlsWish {
  readonly mode: Mode;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

const modes: readonly string[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** Takes libpq's TLS words out of the URL, where pg would give them another meaning. The profile's `tls` wins. */
export function takeTls(url: URL, tls: PostgresStore['tls']): TlsWish {
  const take = (name: string) => {
    const value = url.searchParams.get(name);
    url.searchParams.delete(name);
    return value ?? undefined;
  };
  const [sslmode, root, certificate, key] = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'].map(take);
  for (const name of ['ssl', 'uselibpqcompat']) take(name);
  const ca = tls?.ca ?? (root === 'system' ? undefined : root);
  const files = { ...(ca ? { ca } : {}), ...(certificate ? { certificate } : {}), ...(key ? { key } : {}) };
  return { mode: tls?.mode ?? readMode(sslmode), ...files };
}

/** pg's `ssl` for a mode, in libpq's meaning. `speaksTls` is asked where the server has a say. */
export async function tlsOptions(wish: TlsWish, host: string, speaksTls: () => Promise<boolean>): Promise<ConnectionOptions | false> {
  switch (wish.mode) {
    case 'disable':
      return false;
    case 'allow':
      throw new LoadctlError('unavailable', 'tls mode `allow` is not built yet', { hint: 'Say `prefer` or `require` instead.' });
    case 'prefer':
      return (await speaksTls()) ? { ...(await readFiles(wish)), rejectUnauthorized: false } : false;
  }
  if (!(await speaksTls())) {
    throw new LoadctlError('unavailable', `${host} does not speak TLS, and the profile asks for it (${wish.mode})`, {
      hint: 'Switch TLS on in the database, or say `tls: {mode: disable}` where nobody can listen in.',
    });
  }
  if (wish.mode === 'require' && !wish.ca) return { ...(await readFiles(wish)), rejectUnauthorized: false };
  return wish.mode === 'verify-full' ? { ...(await readFiles(wish)), ...(isAddress(host) ? {} : { servername: host }) } : checkChain(wish);
}

/** Asks a Postgres server whether it speaks TLS, with the protocol's own question. */
export function serverSpeaksTls(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, keepAlive: true });
    const end = (settle: () => void) => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(timeoutMs, () => end(() => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))));
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('close', () => reject(Object.assign(new Error('connection closed'), { code: 'ECONNRESET' })));
    socket.once('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
    socket.once('data', (answer) => end(() => resolve(answer[0] === 0x53)));
  });
}

async function checkChain(wish: TlsWish): Promise<ConnectionOptions> {
  if (!wish.ca) {
    throw new LoadctlError('unavailable', 'tls mode `verify-ca` needs to know the certificate authority', {
      hint: 'Name its PEM file as `tls.ca`, or say `verify-full`, which trusts the well-known authorities.',
    });
  }
  return { ...(await readFiles(wish)), checkServerIdentity: () => undefined };
}

async function readFiles({ ca, certificate, key }: TlsWish): Promise<ConnectionOptions> {
  const read = async (name: 'ca' | 'cert' | 'key', path: string | undefined) => (path ? { [name]: await readPem(path) } : {});
  return { ...(await read('ca', ca)), ...(await read('cert', certificate)), ...(await read('key', key)) };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LoadctlError('unavailable', `the file ${path} cannot be read (${errorCode(error)})`, {
      hint: 'Correct its path in the profile, or put it there.',
      cause: error,
    });
  }
}

function readMode(word: string | undefined): Mode {
  if (word === undefined) return 'prefer';
  if (isMode(word)) return word;
  throw new LoadctlError('invalid-profile', `the database URL says sslmode=${word}`, { hint: `Say one of ${modes.join(', ')}.` });
}

function isMode(word: string): word is Mode {
  return modes.includes(word);
}

function isAddress(host: string): boolean {
  return /^[\d.]+$|:/.test(host);
}
