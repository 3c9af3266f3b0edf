import { expect, test } from 'vitest';
import { storeContext } from '../../src/phases/data/store-context.js';
import { dataContext } from '../servers/data-context.js';

test.each([
  ['127.0.0.1', true],
  ['::1', true],
  ['10.0.0.7', true],
  ['redis-2.cache.example.com', true],
  ['10.0.0.8', false],
  ['cache.example.com', false],
])('a store may reach %s, which only its own servers name: %s', (host, allowed) => {
  const context = dataContext({ stores: {}, guards: { allow: ['10.0.0.7', '*.cache.example.com'] } });
  expect(storeContext(context, 'cache', 'loadctl/seed').allowsHost(host)).toBe(allowed);
});
