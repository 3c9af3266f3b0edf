/**
 * Kinds of schemas that the engine does not hold against yet, left out by the generator: names of hazards (hazards.ts), and
 *
 *     writes on delete   a trigger writes rows that an entry selects while the test's rows go (found: CLEAN, and they are left)
 *     needless quotes    `{s0."id"}` for `{s0.id}` (found: a set that an entry covers is told as unknown, 113)
 *     open transaction   one that wrote rows of the test is open, or prepared, while cleanup works (CLEAN, and they are left)
 *     heirs with keys    what inherits from a listed table references another one itself (found: 112, told as a table of its own)
 *
 * Each is a finding; none is here for good.
 */
export const pending: readonly string[] = [
  'writes on delete',
  'needless quotes',
  'open transaction',
  'heir that others reference',
  'heirs with keys',
];
