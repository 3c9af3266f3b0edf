import { z } from 'zod';
import { count, duration, flag, rate, text } from '../words/words.js';

/** A name, with `*.` for all below it, or an address. */
const host = /^((\*\.)?[\w-]+(\.[\w-]+)*\.?|[\da-f:.]*:[\da-f:.]*|.*\$\{.*)$/i;

const guardWords = z.strictObject({
  level: z
    .literal('production')
    .meta({ description: 'The strictest guards: abort rules become mandatory.', examples: ['production'] })
    .exactOptional(),
  allow: z
    .array(
      text('a host such as `staging.example.com`').regex(host, {
        error: 'expected a host by its name or address, or `*.example.com`: without scheme, port and path',
      }),
    )
    .prefault([])
    .meta({
      description: 'The hosts beyond loopback that target, stores and runners may be: by name, address, or `*.example.com`.',
      examples: [['staging.example.com']],
    }),
  maxVus: count()
    .meta({ description: 'The most virtual users.', examples: [2000] })
    .exactOptional(),
  maxRate: rate().describe('The most iterations a second.').exactOptional(),
  maxDuration: duration()
    .meta({ description: 'The longest test.', examples: ['30m'] })
    .exactOptional(),
  maxVuHours: z
    .number({ error: 'expected a number of VU hours such as `50`' })
    .positive({ error: 'expected a number of VU hours above 0' })
    .meta({
      description:
        'The most VU hours: the most virtual users at once, times the hours of the test. An estimate of what a service charges by.',
      examples: [50],
    })
    .exactOptional(),
  confirm: flag()
    .meta({ description: 'Whether the environment’s name must be typed back.', examples: [true] })
    .exactOptional(),
  sharedStores: z
    .array(text('the name of a store'))
    .prefault([])
    .meta({ description: 'Stores that the live colour uses too, accepted by name.', examples: [['db']] }),
  receipt: z
    .enum(['off', 'count', 'sample', 'full'])
    .default('count')
    .meta({ description: 'How far the proof goes that nothing but test data changed.', examples: ['sample'] }),
});

/** What keeps a test from doing harm. */
export const guards = z
  .union([z.literal('production').transform(() => guardWords.parse({ level: 'production' })), guardWords])
  .prefault({})
  .describe('What keeps a test from doing harm. `guards: production` is short for `level: production`.');
