import { z } from 'zod';
import type { Criterion } from '../../core/criterion.js';
import { type CriterionProblem, readAbort, readCritical, readSla } from '../words/criteria.js';
import { duration } from '../words/words.js';

const limit = z.union([z.string(), z.number()], { error: 'expected a limit such as `< 500ms`' });
const limits = z.union([limit, z.array(limit).min(1, { error: 'expected at least one limit' })], {
  error: 'expected a limit such as `< 500ms`',
});

type Read = { criterion: Criterion } | CriterionProblem;

function collect(reads: readonly (Read & { path: PropertyKey[] })[], context: z.RefinementCtx): Criterion[] {
  return reads.flatMap((read) => {
    if ('criterion' in read) return [read.criterion];
    context.addIssue({ code: 'custom', message: read.problem, path: read.path, params: { token: read.on } });
    return [];
  });
}

/** What the test must show, on the client's side. */
export const sla = z
  .record(z.string(), limits)
  .transform((words, context) =>
    collect(
      Object.entries(words).flatMap(([name, value]) =>
        Array.isArray(value)
          ? value.map((item, index) => ({ ...readSla(name, String(item)), path: [name, index] }))
          : [{ ...readSla(name, String(value)), path: [name] }],
      ),
      context,
    ),
  )
  .prefault({})
  .meta({
    description:
      'What the test must show, measured by the clients: `p95` (and `p50`, `p99.9`, `avg`, `med`, `max`), `availability`, `errors`, `throughput`, or any k6 metric with k6’s thresholds.',
    examples: [{ p95: '< 500ms', availability: '99.9%', errors: '< 0.1%', throughput: '30000/s' }],
  });

/** A limit that is broken only where it is for a while. */
const lastingLimit = z
  .strictObject({
    limit: limit.meta({ description: 'The limit, with a statistic before it or without.', examples: ['< 5s'] }),
    for: duration()
      .meta({ description: 'It is broken where it was for so long without a break.', examples: ['10s'] })
      .exactOptional(),
  })
  .describe('A limit, and for how long it must be broken to count.');

/** What the servers must keep to. */
export const critical = z
  .record(z.string(), z.union([limit, lastingLimit], { error: 'expected a limit such as `< 80%`, or `{limit: < 80%, for: 10s}`' }))
  .transform((words, context) =>
    collect(
      Object.entries(words).map(([name, value]) => {
        if (typeof value !== 'object') return { ...readCritical(name, String(value)), path: [name] };
        const read = readCritical(name, String(value.limit));
        const lasting = value.for === undefined || !('criterion' in read) ? read : { criterion: { ...read.criterion, for: value.for } };
        return { ...lasting, path: [name, 'limit'] };
      }),
      context,
    ),
  )
  .prefault({})
  .meta({
    description:
      'What the servers must keep to: `cpu`, `memory`, `dbConnections`, `queueDepth` of whatever monitors measure them, or `MONITOR.VALUE`. A bare value is an upper limit; `max`, `min`, `avg` or `p95` may stand before it.',
    examples: [{ cpu: '< 80%', dbConnections: 'p95 < 90%', queueDepth: '< 1000', 'db.lag': { limit: '< 5s', for: '10s' } }],
  });

/** When the test is ended before its time. */
export const abort = z
  .array(
    z.strictObject({
      when: z
        .string({ error: 'expected a condition such as `errors > 5%`' })
        .transform((value, context) => {
          const [criterion] = collect([{ ...readAbort(value), path: [] }], context);
          return criterion ?? z.NEVER;
        })
        .meta({
          description: 'What must not be: a word of the SLA or of `critical`, a k6 metric with its stat or a monitor’s value, and a limit.',
          examples: ['errors > 5%'],
        }),
      for: duration()
        .prefault('10s')
        .meta({ description: 'How long it must hold without a break.', examples: ['30s'] }),
      after: duration()
        .prefault('0')
        .meta({ description: 'How long after the start it begins to count.', examples: ['1m'] }),
    }),
  )
  .prefault([])
  .meta({
    description: 'When the test is ended before its time, by what the whole fleet did in the last seconds.',
    examples: [[{ when: 'errors > 5%', for: '30s', after: '1m' }]],
  });
