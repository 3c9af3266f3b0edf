import { z } from 'zod';
import { duration, setColumn, text } from '../words/words.js';

/** Who the virtual users are to the target. */
export const users = z
  .discriminatedUnion('strategy', [
    z
      .strictObject({
        strategy: z.literal('pool').describe('The caller is one of the seeded users, whom the target looks up.'),
        from: setColumn().meta({
          description: 'The column of a seeded set that holds their ids. How many there are, and what their ids look like, the set says.',
          examples: ['users.id'],
        }),
      })
      .describe('Seeded users.'),
    z
      .strictObject({
        strategy: z.literal('bypass').describe('The caller is made up during the run; the target lets him through by a signed header.'),
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
        from: setColumn()
          .meta({ description: 'Of a pool that this profile inherits; it does nothing here.', examples: ['users.id'] })
          .exactOptional(),
      })
      .describe('Users made up during the run.')
      .transform(({ from: _from, ...users }) => users),
  ])
  .describe('Who the virtual users are to the target. Whatever the strategy, what the test writes carries a `load-test-user-…` id.');
