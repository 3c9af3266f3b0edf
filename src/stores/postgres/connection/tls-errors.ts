type Say = (server: string, message: string) => readonly [message: string, hint: string];

const untrusted: Say = (server, message) => [
  `the certificate of ${server} is not trusted: ${message}`,
  'Name the authority that signed it as `tls.ca`.',
];
const selfSigned: Say = (server) => [
  `the certificate of ${server} is not trusted: it is self-signed`,
  'Name that certificate as `tls.ca`, if you know it to be the server’s.',
];
const tooOld: Say = (server) => [`the certificate of ${server} has expired`, 'Renew it on the database server.'];
const tooNew: Say = (server) => [`the certificate of ${server} is not valid yet`, 'Set the clock of whichever machine is wrong.'];
const ofAnotherHost: Say = (server, message) => [
  `the certificate of ${server} was made for another host: ${message}`,
  'Name the host that it was made for in the URL.',
];
const noHandshake: Say = (server, message) => [
  `TLS handshake with ${server} failed: ${message}`,
  'Look at the database’s log: it names the certificate or TLS version it requires.',
];

const known: Readonly<Record<string, Say>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  INVALID_CA: untrusted,
  CERT_HAS_EXPIRED: tooOld,
  CERT_NOT_YET_VALID: tooNew,
  ERR_TLS_CERT_ALTNAME_INVALID: ofAnotherHost,
  EPROTO: noHandshake,
};

/** What Node's or OpenSSL's code for a failed handshake means, and the one thing that fixes it; undefined for other codes. */
export function tlsFailure(code: string): Say | undefined {
  return known[code] ?? (/^ERR_(SSL|OSSL|TLS)_/.test(code) ? noHandshake : undefined);
}
