import { z } from 'zod';
import { receiptVersion } from '../../core/receipt.js';
import { count, moment, shard } from './words.js';

const where = { store: z.string(), shard };
const node = z.string().meta({ description: 'host:port' });
const evicted = z.array(z.strictObject({ store: z.string(), node, count }));
const sum = z
  .string()
  .regex(/^-?\d+$/)
  .optional();

const step = z.strictObject({
  ...where,
  set: z.string(),
  what: z.string(),
  created: count,
  alreadyThere: count,
  conflicts: count,
  elapsedMs: z.number(),
  rowsPerSecond: z.number(),
  writtenAgain: count.optional(),
  evicted: evicted.optional(),
});

/** What a seed put in, set by set. */
export const seededSteps = z.array(step);

const seededSet = z.strictObject({
  set: z.string(),
  store: z.string(),
  place: z.string(),
  rows: count,
  there: count.optional(),
  free: z.array(z.string()).optional(),
  fingerprint: z.string(),
  sets: z.record(z.string(), z.unknown()).meta({ description: 'As a profile writes them.' }),
});

const otherRows = z.strictObject({ ...where, node: node.optional(), table: z.string(), rows: count, sum });

/** What was there before a seed. */
export const countedBefore = z.strictObject({ at: moment, others: z.array(otherRows).optional(), seeded: z.array(seededSet), evicted });

const rows = z.strictObject({
  ...where,
  host: z.string(),
  database: z.string(),
  role: z.string(),
  table: z.string(),
  which: z.string(),
  deleted: count,
  left: count.nullable(),
});
const keys = z.strictObject({
  what: z.enum(['keys', 'members']),
  store: z.string(),
  node,
  database: count,
  which: z.string(),
  deleted: count,
  left: count,
});
const others = z.strictObject({
  ...where,
  node: node.optional(),
  table: z.string(),
  before: count.nullable(),
  after: count,
  sumBefore: sum,
  sumAfter: sum,
});
const line = z.strictObject({
  kind: z.enum(['kept', 'missing', 'left', 'unknown']),
  store: z.string().nullable(),
  shard,
  what: z.string(),
  count: count.nullable(),
  why: z.string().optional(),
  command: z.string().optional(),
});

/** A receipt, as receipt.json has it. */
export const receipt = {
  version: z.literal(receiptVersion),
  environment: z.string(),
  run: z.string().optional(),
  dryRun: z.boolean(),
  startedAt: moment,
  finishedAt: moment,
  by: z.strictObject({ user: z.string(), host: z.string() }),
  proof: z.enum(['count', 'sample', 'full']).optional(),
  countedBefore: moment.optional(),
  rows: z.array(rows),
  keys: z.array(keys),
  others: z.array(others),
  statements: z.array(z.strictObject({ ...where, sql: z.string(), rows: count, ms: z.number() })),
  lines: z.array(line),
  snapshots: z.array(z.strictObject({ ...where, snapshot: z.string() })).optional(),
  proven: z.boolean(),
  notes: z.array(z.string()),
};
