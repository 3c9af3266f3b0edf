import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';

/** A certificate to make. */
export interface Certificate {
  readonly name: string;
  /** Who signs it, by name; it signs itself where this is missing. */
  readonly by?: string;
  /** What it is made for: `DNS:localhost`, `IP:127.0.0.1`. */
  readonly hosts?: readonly string[];
  /** Its validity is over. */
  readonly expired?: boolean;
  /** Its common name; `name` where it is missing. */
  readonly subject?: string;
}

/** Makes `<name>.pem` and `<name>.key` in the folder, with openssl; authorities go before what they sign. */
export function makeCertificates(folder: string, certificates: readonly Certificate[]): void {
  for (const certificate of certificates) make(folder, certificate);
}

function make(folder: string, { name, by, hosts = [], expired = false, subject = name }: Certificate): void {
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`);
  const names = hosts.length === 0 ? [] : [`subjectAltName=${hosts.join(',')}`];
  const authority = by === undefined && hosts.length === 0 ? ['basicConstraints=critical,CA:TRUE'] : [];
  writeFileSync(join(folder, `${name}.ext`), [...names, ...authority, ''].join('\n'));
  const signer = by === undefined ? ['-signkey', `${name}.key`] : ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-days', expired ? '-1' : '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
}

/** The common name of the certificate that a Postgres on loopback shows now; undefined where it speaks no TLS. */
export function shownCertificate(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(sslRequest));
    socket.once('error', reject);
    socket.once('data', (answer) => {
      if (answer.toString() !== 'S') return resolve(socket.destroy() && undefined);
      const secure = connectTls({ socket, rejectUnauthorized: false }, () => {
        const { CN } = secure.getPeerCertificate().subject;
        secure.destroy();
        resolve(Array.isArray(CN) ? CN[0] : CN);
      });
      secure.once('error', reject);
    });
  });
}

/** What a Postgres client asks first, where it wants TLS. */
export const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
