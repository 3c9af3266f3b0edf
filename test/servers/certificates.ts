import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerCertificate } from '../../examples/servers/redis.js';

/** Certificates of a test's own, in a folder that is gone afterwards. */
export interface Certificates {
  /** The path of an authority's certificate, made when it is first asked for. */
  authority(name: string): string;
  /** A certificate for these names (`DNS:localhost`, `IP:127.0.0.1`), signed by an authority. */
  issue(authority: string, names: readonly string[], days?: number): ServerCertificate;
  remove(): void;
}

/** Makes certificates with openssl. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-certificates-'));
  const path = (name: string) => join(folder, name);
  const openssl = (...words: string[]) => void execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const request = ['req', '-newkey', 'rsa:2048', '-nodes'];
  const authorities = new Set<string>();
  let issued = 0;
  const authority = (name: string) => {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`];
    if (!authorities.has(name)) openssl(...request, '-x509', '-days', '2', ...files);
    authorities.add(name);
    return path(`${name}.pem`);
  };
  return {
    authority,
    issue(by, names, days = 2) {
      const name = `server-${++issued}`;
      const signed = authority(by);
      writeFileSync(path(`${name}.names`), `subjectAltName=${names.join(',')}\n`);
      openssl(...request, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      const sign = ['x509', '-req', '-in', `${name}.csr`, '-CA', signed, '-CAkey', `${by}.key`, '-CAcreateserial'];
      openssl(...sign, '-days', String(days), '-extfile', `${name}.names`, '-out', `${name}.pem`);
      return { certificate: path(`${name}.pem`), key: path(`${name}.key`), authority: signed };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
