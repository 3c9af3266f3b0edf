import { describe, expect, test } from 'vitest';
import { certificateFor, mappedPlace, reachOf } from '../../src/k6/reach.js';

describe('k6’s hosts', () => {
  const reach = reachOf({
    hosts: {
      'shop.test': '10.0.0.1',
      'shop.test:8443': '10.0.0.2:443',
      '*.shop.test': '10.0.0.3:81',
      '*.eu.shop.test': '10.0.0.4',
      six: '::1',
      seven: '[::1]:77',
    },
  });
  test.each([
    ['SHOP.test', 80, { host: '10.0.0.1', port: 80 }],
    ['shop.test', 8443, { host: '10.0.0.2', port: 443 }],
    ['a.shop.test', 80, { host: '10.0.0.3', port: 81 }],
    ['a.eu.shop.test', 80, { host: '10.0.0.4', port: 80 }],
    ['six', 80, { host: '::1', port: 80 }],
    ['seven', 80, { host: '::1', port: 77 }],
    ['elsewhere', 80, undefined],
  ])('%s:%i', (host, port, place) => expect(mappedPlace(reach, host, port)).toEqual(place));
});

test('a client certificate is for its domains, or for all', () => {
  const one = { cert: 'c1', key: 'k1', domains: ['*.a.test'] };
  const reach = reachOf({ tlsAuth: [one, { cert: 'c2', key: 'k2', password: 'p', domains: null }], insecureSkipTLSVerify: true });
  expect(reach.insecure).toBe(true);
  expect(certificateFor(reach, 'x.a.test')).toEqual(one);
  expect(certificateFor(reach, 'b.test')).toEqual({ cert: 'c2', key: 'k2', passphrase: 'p', domains: [] });
  expect(certificateFor(reachOf({ tlsAuth: [one] }), 'b.test')).toBeUndefined();
});

test('versions of TLS are called as Node calls them', () => {
  expect(reachOf({ tlsVersion: { min: 'tls1.0', max: 'tls1.3' } })).toMatchObject({ minVersion: 'TLSv1', maxVersion: 'TLSv1.3' });
});
