import { z } from 'zod';
import { readJsonPath } from '../../core/json-path.js';
import { count, duration, template, text, url } from '../words/words.js';

const web = (example = 'https://staging.example.com') => url(['http', 'https'], example);

const badPath = 'expected a path to one value such as `$.live`, `$.colours[0]` or `$["live-colour"]`';

const jsonPath = z
  .string({ error: badPath })
  .transform((value, context) => {
    const path = readJsonPath(value.trim());
    if (path !== undefined) return path;
    context.addIssue({ code: 'custom', message: badPath });
    return z.NEVER;
  })
  .meta({ description: 'Where the answer holds the colour, when it is JSON: `$.a.b`, `$.list[0]`, `$["a-b"]`.', examples: ['$.live'] });

/** The system under test: one URL, or two colours of which only the one that is not live is loaded. */
export const target = z
  .strictObject({
    url: web().describe('Where the target answers. The script sees it as `__ENV.BASE_URL`.').exactOptional(),
    health: text('a path such as `/healthz`, a URL, or `tcp:`')
      .regex(/^(\/|https?:\/\/|tcp:$|tcp:\/\/[^/?#]+:\d+$|.*\$\{)/, {
        error: 'expected a path such as `/healthz`, a URL, `tcp:` or `tcp://host:port`',
      })
      .meta({
        description:
          'A path of the target, or a full URL, that is probed once a second for `availability`; `tcp:` only connects to the target, which need not speak HTTP.',
        examples: ['/healthz', 'tcp:'],
      })
      .exactOptional(),
    lookup: z
      .strictObject({
        path: template('a path such as `/users/user-{n}`').meta({
          description: 'The path that asks for one of the seeded users, past any cache; templates as in `seed`.',
          examples: ['/users/user-{n}'],
        }),
        headers: z
          .record(z.string(), template('a text'))
          .prefault({})
          .meta({ description: 'Headers of that request.', examples: [{ 'X-User-Id': 'user-{n}' }] }),
        status: count(100)
          .prefault(200)
          .meta({ description: 'The status of the answer where the user is found.', examples: [200] }),
        set: text('the name of a set')
          .meta({ description: 'The set that is meant, where it is not the first one with shards.', examples: ['users'] })
          .exactOptional(),
      })
      .describe('How to ask the target for a seeded user: `loadctl doctor --ask` does, for one of each shard.')
      .exactOptional(),
    colours: z
      .strictObject({
        blue: web('https://blue.example.com').describe('The URL of the blue colour.'),
        green: web('https://green.example.com').describe('The URL of the green colour.'),
      })
      .describe('Blue-green: instead of `url`. Only the colour that is not live is loaded.')
      .exactOptional(),
    live: z
      .strictObject({
        url: web('https://example.com/colour').describe('Asked which colour is live.').exactOptional(),
        jsonPath: jsonPath.exactOptional(),
        header: text('a header’s name')
          .regex(/^[\w!#$%&'*+.^`|~-]+$/, { error: 'expected a header’s name such as `x-live-colour`' })
          .meta({ description: 'The header of the answer that holds the colour.', examples: ['x-live-colour'] })
          .exactOptional(),
        command: text('a command')
          .meta({
            description:
              'A command that prints the colour, instead of a URL. `sh` runs it in the folder of the profile, with PATH and HOME and nothing else.',
            examples: ['./which-colour'],
          })
          .exactOptional(),
        every: duration()
          .prefault('10s')
          .meta({ description: 'How often it is looked up again while the load is on; 10s at most.', examples: ['5s'] }),
      })
      .describe('How the live colour is looked up: a URL (with `jsonPath` or `header`) or a command.')
      .exactOptional(),
  })
  .prefault({})
  .describe('The system under test. A profile has `url` or `colours`.');
