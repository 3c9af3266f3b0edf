import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, isIP } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { errorCode, errorMessage } from '../../core/errors.js';
import { splitLogin } from '../../core/url-login.js';
import { certificateFor, mappedPlace, type Reach, usualReach } from '../../k6/reach.js';

/** How a request of loadctl's own is made. */
export interface WebRequest {
  readonly userAgent: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends it: its deadline, or whoever does not want the answer any more. */
  readonly signal: AbortSignal;
  /** How the test reaches its hosts; the system's own way where it is missing. */
  readonly reach?: Reach;
}

/**
 * GETs a URL once. Redirects are not followed: what is asked is what was named. Rejects where no answer came. By a connection
 * of its own: one that is kept open may be closed by the other side just as it is used again, and a target that is well looks down.
 */
export function getOnce(url: string, { userAgent, headers = {}, signal, reach = usualReach }: WebRequest): Promise<IncomingMessage> {
  const { plain, authorization } = splitLogin(url);
  const ours = { host: plain.host, 'user-agent': userAgent, ...(authorization === undefined ? {} : { authorization }) };
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]); // in place of ours, whatever their case
  const options = { ...placeOptions(plain, reach), agent: false, signal, headers: { ...ours, ...Object.fromEntries(given) } };
  const send = plain.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    send(options, resolve).once('error', reject).end();
  });
}

/** Opens a TCP connection to the host and port of a URL, and closes it again. Rejects where none came about. */
export function connectOnce(url: string, { signal, reach = usualReach }: Pick<WebRequest, 'signal' | 'reach'>): Promise<void> {
  const { hostname, port } = new URL(url);
  const host = bare(hostname);
  return new Promise((resolve, reject) => {
    const socket = connect(mappedPlace(reach, host, Number(port)) ?? { host, port: Number(port) });
    const end = (settle: () => void) => () => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      settle();
    };
    const abort = end(() => reject(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('connect', end(resolve));
    socket.once('error', (error) => end(() => reject(error))());
  });
}

/** Where a request goes, and by which certificates. */
function placeOptions(url: URL, reach: Reach): RequestOptions & Record<string, unknown> {
  const secure = url.protocol === 'https:';
  const host = bare(url.hostname);
  const port = Number(url.port || (secure ? 443 : 80));
  const place = mappedPlace(reach, host, port) ?? { host, port };
  const path = `${url.pathname}${url.search}`;
  if (!secure) return { ...place, path };
  const { cert, key, passphrase } = certificateFor(reach, host) ?? {};
  return {
    ...place,
    path,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: !reach.insecure,
    ...(cert === undefined ? {} : { cert, key, ...(passphrase === undefined ? {} : { passphrase }) }),
    ...versions(reach),
  };
}

function versions({ minVersion, maxVersion }: Reach): { minVersion?: SecureVersion; maxVersion?: SecureVersion } {
  return {
    ...(minVersion === undefined ? {} : { minVersion: minVersion as SecureVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion: maxVersion as SecureVersion }),
  };
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Whether whoever answered speaks something, only not HTTP/1.1: a gRPC server speaks HTTP/2. */
export function speaksOtherProtocol(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  return code.startsWith('HPE_') || code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';
}

/** Whether it is the server's certificate that is not trusted. */
export function isUntrusted(error: unknown): boolean {
  return /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_(?:GET|VERIFY)_|ERR_TLS_CERT_)/.test(
    errorCode(error) ?? '',
  );
}

/** Why no answer came, in words; OpenSSL's own for a server that speaks plain HTTP name its source files. */
export function noAnswer(error: unknown): string {
  // Node 20 calls it EPROTO.
  if (errorCode(error) === 'ERR_SSL_WRONG_VERSION_NUMBER' || /:wrong version number:/.test(errorMessage(error)))
    return 'it does not speak TLS; did you mean http://?';
  const cause = error instanceof Error && error.name === 'AbortError' ? (error.cause ?? error) : error;
  return errorMessage(cause).trim();
}
