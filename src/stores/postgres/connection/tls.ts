import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { errorCode, LoadctlError } from '../../../core/errors.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';

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
  const [sslmode, root, sslcert, sslkey] = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'].map(take);
  for (const name of ['ssl', 'uselibpqcompat']) take(name);
  const usual = root === 'system' ? 'verify-full' : 'prefer';
  const mode = tls?.mode ?? (sslmode === undefined ? usual : readMode(sslmode));
  const ca = tls?.ca ?? (root === 'system' ? undefined : root);
  const certificate = tls?.certificate ?? sslcert;
  const key = tls?.key ?? sslkey;
  return { mode, ...(ca ? { ca } : {}), ...(certificate ? { certificate } : {}), ...(key ? { key } : {}) };
}

/** Whether a mode never sends anything in plain text. */
export function isEncrypted(mode: Mode): boolean {
  return mode === 'require' || mode === 'verify-ca' || mode === 'verify-full';
}

/** pg's `ssl`; false: no TLS. */
export type Ssl = ConnectionOptions | false;

/**
 * Each way to connect that a mode allows, in libpq's order: a further one is for a server that does not let us in by the
 * one before. `speaksTls` is asked where the server has a say. Throws `unavailable` where none is left.
 */
export async function* waysIn(wish: TlsWish, host: string, speaksTls: () => Promise<boolean>): AsyncGenerator<Ssl, void> {
  const { mode } = wish;
  if (mode === 'disable' || isSocket(host)) {
    yield false;
    return;
  }
  if (mode === 'allow') yield false;
  if (await speaksTls()) yield tlsOptions(wish, host);
  else if (isEncrypted(mode)) throw plainServer(mode, host);
  if (mode === 'prefer') yield false;
}

/** libpq knows no TLS on a Unix socket, whatever the mode says. */
function isSocket(host: string): boolean {
  return host.startsWith('/');
}

async function tlsOptions(wish: TlsWish, host: string): Promise<ConnectionOptions> {
  const files = await readFiles(wish);
  switch (wish.mode) {
    case 'verify-full':
      return { ...files, ...(isAddress(host) ? {} : { servername: host }) };
    case 'verify-ca':
      if (wish.ca === undefined) throw unknownAuthority();
      return { ...files, checkServerIdentity: () => undefined };
    case 'require':
      return wish.ca === undefined ? { ...files, rejectUnauthorized: false } : { ...files, checkServerIdentity: () => undefined };
    default:
      return { ...files, rejectUnauthorized: false };
  }
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

async function readFiles({ ca, certificate, key }: TlsWish): Promise<ConnectionOptions> {
  return {
    ...(ca === undefined ? {} : { ca: await readPem(ca, 'CERTIFICATE') }),
    ...(certificate === undefined ? {} : { cert: await readPem(certificate, 'CERTIFICATE') }),
    ...(key === undefined ? {} : { key: await readPem(key, 'PRIVATE KEY') }),
  };
}

/** Node takes a file without anything of use in it for an empty one. */
async function readPem(path: string, holds: 'CERTIFICATE' | 'PRIVATE KEY'): Promise<string> {
  const text = await readText(path);
  if (new RegExp(`-----BEGIN [A-Z ]*${holds}-----`).test(text)) return text;
  throw new LoadctlError('unavailable', `the file ${path} holds no ${holds.toLowerCase()} in PEM form`, {
    hint: `Name one that has a line -----BEGIN ${holds}-----`,
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LoadctlError('unavailable', `the file ${path} cannot be read (${errorCode(error)})`, {
      hint: 'Correct its path in the profile, or put it there.',
      cause: error,
    });
  }
}

function plainServer(mode: Mode, host: string): LoadctlError {
  return new LoadctlError('unavailable', `${host} does not speak TLS, and the profile asks for it (${mode})`, {
    hint: 'Enable TLS on the server, or set `tls: {mode: disable}` on a trusted network.',
  });
}

function unknownAuthority(): LoadctlError {
  return new LoadctlError('unavailable', 'tls mode `verify-ca` needs to know the certificate authority', {
    hint: 'Set `tls.ca` to its PEM file, or the mode to `verify-full`, which trusts the well-known authorities.',
  });
}

function readMode(word: string): Mode {
  if (isMode(word)) return word;
  throw new LoadctlError('invalid-profile', `the database URL says sslmode=${word}`, { hint: `Use one of ${modes.join(', ')}.` });
}

function isMode(word: string): word is Mode {
  return modes.includes(word);
}

function isAddress(host: string): boolean {
  return /^[\d.]+$|:/.test(host);
}
