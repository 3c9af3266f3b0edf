import { z } from 'zod';
import { count, share, unit } from './words.js';

const bounded = z
  .strictObject({ value: z.number(), low: z.number(), high: z.number() })
  .meta({ description: 'A value, and the bounds that it certainly lies in.' });
const latency = z.strictObject({ p50: bounded, p95: bounded, p99: bounded }).meta({ description: 'http_req_duration, in milliseconds.' });

const numbers = {
  requests: count.meta({ description: 'Requests of the judged window.' }),
  requestsPerSecond: z.number().optional(),
  errors: share.optional().meta({ description: 'The share of failed requests.' }),
  latency: latency.optional(),
};

const limit = z.strictObject({
  operator: z.enum(['<', '<=', '>', '>=', '==', '===', '!=']),
  value: z.number().meta({ description: 'In the unit that is shown: milliseconds; percent as a share from 0 to 1.' }),
  unit,
  expression: z.string().meta({ description: 'As it is shown: `< 500 ms`.' }),
});

const monitored = z.strictObject({
  monitor: z.string(),
  source: z.string().optional(),
  stat: z.string(),
  samples: count,
  longestHoleMs: z.number(),
});

const criterion = z.strictObject({
  name: z.string(),
  source: z.enum(['client', 'server', 'script']),
  metric: z.string(),
  limit: z.string(),
  actual: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  unit,
  window: z.string(),
  outcome: z.enum(['pass', 'fail', 'undecided', 'no-data', 'not-measured']),
  monitored: monitored.optional(),
  neverAdded: z.literal(true).optional(),
});

const scenario = z.strictObject({
  name: z.string(),
  iterations: count,
  iterationsPerSecond: z.number().optional(),
  dropped: count.optional(),
  requests: count,
  errors: share.optional(),
  p95: z.number().optional(),
});

const check = z.strictObject({ name: z.string(), path: z.string(), passes: count, fails: count });
const custom = z.strictObject({
  name: z.string(),
  type: z.enum(['counter', 'rate', 'gauge', 'trend']),
  contains: z.enum(['default', 'time', 'data']),
  values: z.record(z.string(), z.number()),
});

const measured = z.strictObject({
  k6Version: z.string(),
  runners: count.meta({ description: 'How many runners’ numbers are in it.' }),
  all: z.strictObject(numbers),
  endpoints: z.array(z.strictObject({ name: z.string(), ...numbers })).meta({ description: 'The 30 with most requests.' }),
  other: z.strictObject(numbers).optional().meta({ description: 'The other requests together.' }),
  script: z.strictObject({
    checks: z.strictObject({ passes: count, fails: count, failing: z.array(check) }).optional(),
    droppedIterations: count.optional(),
    scenarios: z.array(scenario),
    metrics: z.array(custom),
  }),
});

/** A verdict, as verdict.json has it. */
export const verdict = {
  run: z.string(),
  verdict: z.enum(['pass', 'fail', 'invalid', 'interrupted']),
  reasons: z.array(z.string()),
  criteria: z.array(criterion),
};

/** What a run adds to its verdict. */
export const result = {
  limits: z.array(limit).meta({ description: 'The limits of the criteria, in their order.' }),
  measured: measured.optional().meta({ description: 'Missing where nothing was measured.' }),
};
