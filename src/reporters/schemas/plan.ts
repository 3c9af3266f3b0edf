import { z } from 'zod';
import { count, share, unit } from './words.js';

const criterion = z.strictObject({
  name: z.string(),
  source: z.enum(['client', 'server', 'script']),
  metric: z.string(),
  stat: z.string(),
  operator: z.enum(['<', '<=', '>', '>=', '==', '===', '!=']),
  limit: z.number(),
  unit,
  window: z.enum(['steady', 'test']),
  for: z.number().optional(),
});

const load = z.strictObject({
  vus: count,
  duration: z.number().meta({ description: 'Milliseconds, as all times.' }),
  rate: z.number().optional(),
  ramp: z.number().optional(),
});

const needs = {
  vus: count,
  iterationsPerSecond: z.number().optional(),
  requestsPerSecond: z.number().optional(),
  connections: z.number(),
  memoryBytes: z.number(),
  cpus: z.number().optional(),
};

const facts = z.strictObject({
  cpus: z.number().optional(),
  freeMemoryBytes: z.number().optional(),
  openFiles: z.number().optional(),
  portsFrom: z.number().optional(),
  portsTo: z.number().optional(),
  addresses: z.number().optional(),
});

const problem = z.strictObject({
  host: z.string(),
  vus: count,
  of: z.enum(['ports', 'open files', 'memory', 'CPUs']),
  certain: z.boolean(),
  ports: count.optional(),
  from: count.optional(),
  to: count.optional(),
  needed: z.number().optional(),
  has: z.number().optional(),
  neededBytes: z.number().optional(),
  freeBytes: z.number().optional(),
  requestsPerSecond: z.number().optional(),
  hosts: count.optional(),
  runners: count.optional(),
});

/** What runners and hosts will have to carry, against what the hosts have. */
export const capacity = z.strictObject({
  runner: z.strictObject({ ...needs, openFiles: count }),
  hosts: z.array(z.strictObject({ name: z.string(), runners: count, facts, needs: z.strictObject(needs) })),
  problems: z.array(problem),
  targetAddresses: count,
  enough: z.strictObject({ hosts: count, runners: count }).optional(),
});

const request = { cpus: z.number(), memoryBytes: z.number() };

/** What runners that are pods ask of their cluster. */
const pods = z.strictObject({
  pods: count,
  runner: z.strictObject(request),
  ...request,
  nodes: count,
  because: z.enum(['CPUs', 'memory', 'ports', 'connections tracked']),
  egress: z.enum(['pod', 'node', 'nat']),
  connections: count,
  ports: count,
  sources: count,
  sourcesNeeded: count,
  trackedByNode: count,
  first: z.strictObject({ of: z.enum(['CPUs', 'memory', 'ports', 'connections tracked']), vus: count }),
  pushEveryMs: count,
  abortLatencyMs: count,
});

const scenario = z.strictObject({
  executor: z.string(),
  vus: count,
  startMs: z.number(),
  durationMs: z.number(),
  iterations: z.number().optional(),
  rate: z.number().optional(),
  open: z.boolean(),
});

/** What a plan takes over from the profile, in its words: schema/profile.schema.json says what those are. */
const ofProfile = z.record(z.string(), z.unknown());

const planned = {
  version: z.literal(2),
  environment: z.string(),
  script: z.string(),
  scriptFiles: z.array(z.strictObject({ file: z.string(), sha256: z.hash('sha256') })),
  target: ofProfile,
  draws: ofProfile,
  users: ofProfile.optional(),
  env: z.record(z.string(), z.string()),
  options: ofProfile,
  fleet: ofProfile,
  k6Outputs: z.array(z.string()).optional(),
  seed: z.array(ofProfile),
  cleanup: ofProfile.optional(),
  monitors: z.array(ofProfile),
  outputs: z.array(ofProfile),
  load: load.optional().meta({ description: 'Where the script’s own options make it: as k6 foresees it.' }),
  scale: share.optional(),
  scriptOnly: z.array(z.string()).optional(),
  pacing: z.number().optional(),
  steady: z.strictObject({ from: z.number(), to: z.number() }).optional(),
  iterationsPerSecond: z.number().optional(),
  requestsPerSecond: z.number().optional(),
  endpoints: z.array(z.strictObject({ name: z.string(), perSecond: z.number().optional(), writes: z.boolean() })),
  runners: z.array(z.strictObject({ id: z.string(), segment: z.string(), sequence: z.string() })),
  stores: z.array(z.strictObject({ name: z.string(), kind: z.string(), hosts: z.array(z.string()) })),
  criteria: z.array(criterion),
  abort: z.array(z.strictObject({ when: criterion, for: z.number(), after: z.number() })),
  hosts: z.array(z.string()),
  allow: z.array(z.string()),
  strict: z.boolean(),
  judgedMonitors: z.array(ofProfile),
  beyondLoopback: z.array(z.string()),
  warnings: z.array(z.looseObject({ code: z.string() })),
  hash: z.hash('sha256'),
};

/** A plan with what is told beside it. */
export const plan = {
  ...planned,
  scenarios: z.record(z.string(), scenario).optional(),
  thresholds: z.record(z.string(), z.array(z.string())).optional(),
  inspection: z.strictObject({ unknown: z.string().optional(), fetched: z.array(z.string()) }),
  variables: z.array(z.strictObject({ name: z.string(), from: z.string() })),
  overrides: z.array(z.strictObject({ path: z.string(), value: z.string() })),
  unbuilt: z.array(z.strictObject({ word: z.string(), message: z.string() })),
  refusals: z.array(
    z.strictObject({ guard: z.enum(['allow', 'cap', 'abort', 'shared-store', 'confirm']), message: z.string(), fix: z.string() }),
  ),
  capacity: capacity.optional(),
  pods: pods.optional(),
};
