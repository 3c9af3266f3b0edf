import { z } from 'zod';
import { count, unit } from './words.js';

const word = z.enum(['worse', 'better', 'same', 'cannot tell']);
const asShare = (description: string) => z.number().optional().meta({ description });

const change = z.strictObject({
  name: z.string(),
  unit,
  gated: z.boolean().meta({ description: 'There is a limit for it: it is judged.' }),
  before: z.number(),
  after: z.number(),
  change: asShare('A share of what was before: 0.1 is 10% more. Missing where that was 0.'),
  low: asShare('The least that the change may be; missing where it is unknown.'),
  high: asShare('The most that it may be.'),
  noise: asShare('How much runs differ by themselves: one standard deviation, as a share; of errors on the scale of their square root.'),
  least: asShare('The smallest change that can be distinguished from that.'),
  within: z
    .strictObject({ before: z.number(), after: z.number() })
    .optional()
    .meta({ description: 'Where fewer than three earlier runs are: how far either may be off by what happens within a run, at least.' }),
  word,
});

const uncompared = z.strictObject({
  name: z.string(),
  why: z.enum(['not-before', 'not-above-zero', 'no-scale']).meta({
    description: 'No earlier run has it; it is 0 or below in a run, where a change is not a share; how such a value varies is unknown.',
  }),
});

/** What `compare` says, and `verify --baseline` beside the verdict. */
export const comparison = {
  word: word.meta({ description: 'Of all numbers with a limit together.' }),
  runs: z.array(z.string()),
  with: z.array(z.string()),
  changes: z.array(change),
  uncompared: z.array(uncompared).meta({ description: 'What has a limit and is not compared.' }),
  passedOver: count.meta({ description: 'So many runs in the files behind `--with` are of another load, and were left out.' }),
  circumstances: z.array(z.strictObject({ name: z.string(), before: z.array(z.string()), after: z.array(z.string()) })),
};
