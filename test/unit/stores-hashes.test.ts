import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberIn, uuidOf, uuidPrefix, uuidRange } from '../../src/core/uuids.js';
import { hashes } from '../../src/stores/postgres/rows/hashes.js';

/** Values that the hashes' own authors and RFCs give. */
test.each([
  ['crc32', '123456789', 0xcbf43926],
  ['crc32', '', 0],
  ['fnv1a', '', 0x811c9dc5],
  ['fnv1a', 'a', 0xe40c292c],
  ['fnv1a', 'foobar', 0xbf9cf968],
  ['murmur3', '', 0],
  ['murmur3', 'hello', 0x248bfa47],
  ['murmur3', 'hello, world', 0x149bbb7f],
  ['murmur3', 'The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ['md5', '', 0xd41d8cd9],
  ['md5', 'abc', 0x90015098],
] as const)('%s of %j', (name, text, value) => {
  expect(hashes[name](text).toString(16)).toBe(value.toString(16));
});

test('a namespace of UUIDs is a range of its own, and holds its UUIDs and no random ones', () => {
  const { low, high } = uuidRange('load-test');
  expect(low).toBe(`${uuidPrefix('load-test')}000-0000-000000000000`);
  const inside = `${uuidPrefix('load-test')}abc-9123-0123456789ab`;
  expect(low <= inside && inside <= high).toBe(true);
  const outside = [uuidOf('', 1), `${uuidPrefix('other')}abc-9123-0123456789ab`, '550e8400-e29b-41d4-a716-446655440000'];
  for (const uuid of outside) expect(low <= uuid && uuid <= high).toBe(false);
});

test('a UUID of version 8 carries its number, under a mask that depends on the salt', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.string(), (n, salt) => {
      const uuid = uuidOf(salt, n);
      expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
      expect(numberIn(salt, uuid)).toBe(n);
      expect(uuidOf(salt, numberIn(`${salt}x`, uuid))).not.toBe(uuid);
    }),
  );
});
