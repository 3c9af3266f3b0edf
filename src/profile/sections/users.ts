import { z } from 'zod';
import { count, duration, text } from '../words/words.js';

/** Who the virtual users are to the target. */
export const users = z
  .discriminatedUnion('strategy', [
    z
      .strictObject({
        strategy: z.literal('pool').describe('The caller is one of the seeded users, whom the target looks up.'),
        count: count().describe('How many users the pool has: `user-1` and so on.'),
        id: text('an id such as `user-{n}`')
          .prefault('user-{n}')
          .meta({ description: 'What their ids are, as they are seeded; `{n}` counts from 1.', examples: ['user-{n}'] }),
      })
      .describe('Seeded users.'),
    z
      .strictObject({
        strategy: z.literal('bypass').describe('The caller is made up during the run; the target lets him through by a signed header.'),
        count: count().describe('How many seeded users there are besides, if any.').exactOptional(),
        key: text('the key that signs the header, such as `${BYPASS_KEY}`').meta({
          description: 'The key that signs the header, one for each environment.',
          examples: ['${BYPASS_KEY}'],
        }),
        expires: duration()
          .prefault('2h')
          .meta({ description: 'How long a signature holds, from the start of the run; longer than the run.', examples: ['2h'] }),
        header: text('a header’s name')
          .meta({ description: 'The name of the signed header, where it is not the script’s own.', examples: ['x-load-test'] })
          .exactOptional(),
      })
      .describe('Users made up during the run.'),
  ])
  .describe('Who the virtual users are to the target. Whatever the strategy, what the test writes carries a `load-test-user-…` id.');
