import { z } from 'zod';
import { comparison } from './comparison.js';
import { countedBefore, receipt, seededSteps } from './data.js';
import { capacity, plan } from './plan.js';
import { result, verdict } from './result.js';
import { count, documentOf, moment, shard } from './words.js';

const run = z.string();
const listed = z.strictObject({
  run,
  environment: z.string(),
  state: z.enum(['running', 'passed', 'failed', 'invalid', 'interrupted', 'damaged']),
  startedAt: moment.optional(),
  durationMs: z.number().optional(),
  vus: count.optional(),
  p95: z.number().optional(),
  why: z.string().optional(),
});

const finding = z.strictObject({
  what: z.string(),
  state: z.enum(['good', 'low', 'missing', 'unknown']),
  said: z.string(),
  more: z.string().optional(),
});
const asked = z.strictObject({
  store: z.string(),
  shard,
  n: count,
  row: z.string(),
  there: z.boolean(),
  request: z.string(),
  status: z.int().optional(),
  found: z.boolean(),
});

const tested = { run: run.optional(), seeded: seededSteps.optional(), receipt: z.strictObject(receipt).optional() };
const whole = z.strictObject({ version: z.literal(1), ...verdict });

/** What `--json` prints, by command: its schema is schema/COMMAND-result.schema.json. To add one: its line here, and `npm run generate`. */
export const jsonDocuments = {
  run: documentOf('run', { ...verdict, ...result, directory: z.string() }),
  test: documentOf('test', { ...tested, verdict: whole.optional(), limits: result.limits.optional(), measured: result.measured }),
  verify: documentOf('verify', { ...verdict, comparison: z.strictObject(comparison).optional() }),
  compare: documentOf('compare', comparison),
  seed: documentOf('seed', { environment: z.string(), stores: seededSteps.optional(), before: countedBefore.optional() }),
  cleanup: documentOf('cleanup', receipt),
  plan: documentOf('plan', plan),
  runs: documentOf('runs', { runs: z.array(listed) }, { removed: z.array(run), running: z.array(run) }),
  report: documentOf('report', { file: z.string() }),
  attach: documentOf('attach', { run, ended: z.boolean() }),
  stop: documentOf('stop', { run, stopped: z.literal(true) }),
  resend: documentOf('resend', {
    run,
    outputs: z.array(
      z.strictObject({ output: z.string(), unit: z.string(), sent: count, left: count, lost: count, why: z.string().optional() }),
    ),
  }),
  doctor: documentOf(
    'doctor',
    { findings: z.array(finding), capacity: capacity.optional() },
    { asked: z.array(asked) },
    { monitors: z.array(finding) },
    { outputs: z.array(finding) },
  ),
  completion: documentOf('completion', { shell: z.enum(['bash', 'zsh', 'fish']), script: z.string() }),
  init: documentOf('init', {
    written: z.array(z.string()),
    extended: z.array(z.string()),
    variables: z.array(z.string()),
    next: z.array(z.string()),
  }),
};

/** The JSON Schemas of {@link jsonDocuments}, by their file names. */
export function jsonSchemas(): Record<string, string> {
  const files = Object.entries(jsonDocuments).map(([command, document]) => [
    `${command}-result.schema.json`,
    `${JSON.stringify(z.toJSONSchema(document), null, 2)}\n`,
  ]);
  return Object.fromEntries(files);
}
