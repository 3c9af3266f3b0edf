import { z } from 'zod';
import { count, duration, flag, rate, text } from '../words.js';

const guardWords = z.strictObject({
  level: z.literal('production').describe('The strictest guards: abort rules become mandatory.').exactOptional(),
  allow: z
    .array(text('a host such as `staging.example.com`'))
    .prefault([])
    .meta({ description: 'The hosts beyond loopback that target, stores and runners may be.', examples: [['staging.example.com']] }),
  maxVus: count().describe('The most virtual users.').exactOptional(),
  maxRate: rate().describe('The most iterations a second.').exactOptional(),
  maxDuration: duration().describe('The longest test.').exactOptional(),
  confirm: flag().describe('Whether the environment’s name must be typed back.').exactOptional(),
  sharedStores: z
    .array(text('the name of a store'))
    .prefault([])
    .describe('Stores that the live colour uses too, accepted by name.'),
  receipt: z
    .enum(['off', 'count', 'sample', 'full'])
    .default('count')
    .describe('How far the proof goes that nothing but test data changed.'),
});

/** What keeps a test from doing harm. */
export const guards = z
  .union([z.literal('production').transform(() => guardWords.parse({ level: 'production' })), guardWords])
  .prefault({})
  .describe('What keeps a test from doing harm. `guards: production` is short for `level: production`.');
