import { z } from 'zod';
import { count, duration, percentage, rate, text, window } from '../words/words.js';

const names = z.record(z.string(), text('a request name such as `GET /events`')).prefault({});

/** What the virtual users do, and how many of them for how long. */
export const workload = z
  .strictObject({
    script: text('the path of a k6 script').meta({
      description: 'Any k6 script, JavaScript or TypeScript; relative to the file that names it.',
      examples: ['../k6/reservations.ts'],
    }),
    vus: count().describe('How many virtual users. Without it the script’s own scenarios hold.').exactOptional(),
    duration: duration()
      .meta({ description: 'How long the load lasts, ramps included.', examples: ['10m'] })
      .exactOptional(),
    ramp: duration()
      .meta({
        description: 'How long the load takes to rise, and again to fall. The SLA is judged on what lies between.',
        examples: ['30s'],
      })
      .exactOptional(),
    steady: window().describe('The judged part of the test, where it is not what `ramp` leaves.').exactOptional(),
    rate: rate().describe('Iterations a second whatever the target does (open model); instead of `pacing`.').exactOptional(),
    scale: percentage()
      .meta({
        description: 'How much of the script’s own load is made: its VUs and rates, at least 1 of each. Instead of `vus` or `rate`.',
        examples: ['10%'],
      })
      .exactOptional(),
    pacing: duration()
      .meta({ description: 'One iteration of a virtual user every so often (closed model); instead of `rate`.', examples: ['1s'] })
      .exactOptional(),
    endpoints: names.meta({ description: 'The names used in `mix`, each with the request’s name.', examples: [{ events: 'GET /events' }] }),
    mix: z
      .record(z.string(), percentage())
      .prefault({})
      .meta({ description: 'What a read is, in shares that add up to 100%.', examples: [{ events: '60%', reservations: '40%' }] }),
    sessions: z
      .record(z.string(), percentage())
      .prefault({})
      .meta({ description: 'What an iteration is, in shares that add up to 100%.', examples: [{ browse: '80%', reserve: '20%' }] }),
    steps: z
      .record(
        z.string(),
        z.array(text('`read` or a request name such as `POST /reservations`')).min(1, { error: 'expected at least one step' }),
      )
      .prefault({})
      .meta({
        description: 'The requests of each session: `read` (one draw of the mix) or a request’s name.',
        examples: [{ reserve: ['read', 'POST /reservations'] }],
      }),
    env: z
      .record(
        z.string().regex(/^[A-Za-z_]\w*$/, { error: 'expected a variable name such as `FEATURE`' }),
        z.union([z.string(), z.number(), z.boolean()], { error: 'expected a text, a number, `true` or `false`' }).transform(String),
      )
      .prefault({})
      .meta({
        description:
          'More variables for the script (`__ENV`), other than those that say what is loaded and cleaned up. Secret are those with such a name, and what `${NAME}` fills in.',
        examples: [{ FEATURE: 'on' }],
      }),
    options: z
      .record(z.string(), z.unknown())
      .prefault({})
      .meta({ description: 'k6’s own options, in k6’s words, laid over the script’s.', examples: [{ discardResponseBodies: true }] }),
    outputs: z
      .array(text('k6’s own output such as `json=samples.json`'))
      .prefault([])
      .meta({
        description:
          'k6’s own outputs `json=FILE` and `csv=FILE`, into the runner’s folder, 256 MB of each at most. They cost much of the load: `json` about 39% of the requests/s.',
        examples: [['json=samples.json']],
      }),
  })
  .describe('What the virtual users do.');
