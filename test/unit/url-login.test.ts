import { expect, test } from 'vitest';
import { splitLogin } from '../../src/core/url-login.js';

test.each([
  ['http://ann:p%40ss@host:1/a?b', 'ann:p@ss'],
  ['http://ann:%C3%A9t%E2%82%AC@host:1/a?b', 'ann:ét€'],
  ['http://ann:100%@host:1/a?b', 'ann:100%'],
  ['http://ann@host:1/a?b', 'ann:'],
])('the login of %s', (url, login) => {
  const { plain, authorization } = splitLogin(url);
  expect(plain.href).toBe('http://host:1/a?b');
  expect(Buffer.from(authorization?.replace('Basic ', '') ?? '', 'base64').toString('utf8')).toBe(login);
});

test('a URL without a login has none', () => {
  expect(splitLogin('http://host:1/')).toEqual({ plain: new URL('http://host:1/') });
});
