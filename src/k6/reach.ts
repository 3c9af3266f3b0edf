import { isIP } from 'node:net';
import { fieldsOf, type K6Options } from '../plan/inspection.js';

/** How a test reaches its hosts, where it is told another way than the system's: k6's own options. */
export interface Reach {
  /** Whether any certificate will do. */
  readonly insecure: boolean;
  /** Hosts, as `host`, `host:port` or `*.domain`, with the addresses that they stand for. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Client certificates; without domains for every host. */
  readonly certificates: readonly ClientCertificate[];
  /** `TLSv1.2`, as Node calls it. */
  readonly minVersion?: string;
  readonly maxVersion?: string;
}

interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  readonly passphrase?: string;
  readonly domains: readonly string[];
}

/** The system's own way. */
export const usualReach: Reach = { insecure: false, hosts: {}, certificates: [] };

/** Reads it off options that k6 normalised. */
export function reachOf(options: K6Options): Reach {
  const { min, max } = fieldsOf(options.tlsVersion);
  const [minVersion, maxVersion] = [min, max].map(tlsVersion);
  return {
    insecure: options.insecureSkipTLSVerify === true,
    hosts: texts(options.hosts),
    certificates: (Array.isArray(options.tlsAuth) ? options.tlsAuth : []).map(certificateIn),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  };
}

/** Where a connection to a host and port really goes (k6: netext.Dialer, types.Hosts); undefined where nothing is said of it. */
export function mappedPlace({ hosts }: Pick<Reach, 'hosts'>, host: string, port: number): { host: string; port: number } | undefined {
  const name = host.toLowerCase();
  const found = bestMatch(hosts, `${name}:${port}`) ?? bestMatch(hosts, name);
  if (found === undefined) return undefined;
  const [, bracketed, plain, ownPort] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(found) ?? [];
  return ownPort === undefined || isIP(found) !== 0 ? { host: found, port } : { host: bracketed ?? plain ?? found, port: Number(ownPort) };
}

/** The client certificate for a host, where there is one. */
export function certificateFor({ certificates }: Pick<Reach, 'certificates'>, host: string): ClientCertificate | undefined {
  const isFor = (domain: string) => domain === host || (domain.startsWith('*.') && host.endsWith(domain.slice(1)));
  return certificates.find(({ domains }) => domains.some(isFor)) ?? certificates.find(({ domains }) => domains.length === 0);
}

/** The name itself goes before patterns, of which the longest wins: `*` stands for anything. */
function bestMatch(hosts: Reach['hosts'], name: string): string | undefined {
  const entries = Object.entries(hosts).map(([pattern, place]) => [pattern.toLowerCase(), place] as const);
  const exact = entries.find(([pattern]) => pattern === name);
  const wild = entries.filter(([pattern]) => pattern.startsWith('*') && name.endsWith(pattern.slice(1)));
  return (exact ?? wild.sort(([one], [other]) => other.length - one.length)[0])?.[1];
}

function certificateIn(value: unknown): ClientCertificate {
  const { cert, key, password, domains } = fieldsOf(value);
  return {
    cert: String(cert ?? ''),
    key: String(key ?? ''),
    ...(typeof password === 'string' ? { passphrase: password } : {}),
    domains: Array.isArray(domains) ? domains.map(String) : [],
  };
}

/** `tls1.2` is `TLSv1.2`, and `tls1.0` `TLSv1`. */
function tlsVersion(value: unknown): string | undefined {
  const version = typeof value === 'string' ? /^tls(1\.\d)$/.exec(value)?.[1] : undefined;
  return version === undefined ? undefined : `TLSv${version.replace(/\.0$/, '')}`;
}

function texts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(fieldsOf(value)).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])));
}
