import { z } from 'zod';
import { count, duration, percentage, text, url } from '../words/words.js';

/** Where k6 speaks to Grafana Cloud unless it is told otherwise. */
export const usualCloudHost = 'https://api.k6.io';

/** Where Grafana Cloud makes the load: as whom, in which project, from where, and what of the script's variables may leave. */
export const cloud = z
  .strictObject({
    token: text('a token')
      .regex(/^[!-~]*$/, { error: 'expected a token without spaces and line breaks' })
      .meta({ description: 'The token that k6 logs in with.', examples: [`\${K6_CLOUD_TOKEN}`] }),
    stack: count(1, 2_147_483_647).meta({ description: 'The number of the Grafana stack.', examples: [812345] }),
    project: count().meta({ description: 'The number of the project in that stack.', examples: [123] }),
    name: text('the name of a test')
      .meta({
        description:
          'The test’s name there: runs of one name stand together. Without it the script’s own, or its file and the environment.',
        examples: ['checkout, nightly'],
      })
      .exactOptional(),
    zones: z
      .record(text('a load zone'), percentage())
      .prefault({})
      .meta({
        description:
          'The load zones, each with its share of the load; they add up to 100%. Without them the script’s own, or Grafana’s usual one.',
        examples: [{ 'amazon:de:frankfurt': '60%', 'amazon:us:ashburn': '40%' }],
      }),
    env: z
      .array(text('the name of a variable'))
      .prefault([])
      .meta({
        description: 'The script’s variables that may leave for Grafana Cloud; it gets no others.',
        examples: [['BASE_URL', 'LOADCTL_VIRTUAL_USER_PREFIX']],
      }),
    host: url(['http', 'https'], usualCloudHost)
      .meta({ description: `The API, where it is not ${usualCloudHost}: a proxy in between.`, examples: ['https://k6-proxy.example.com'] })
      .exactOptional(),
    awayTimeout: duration()
      .prefault('2m')
      .meta({ description: 'How long the service may be out of reach before loadctl leaves a run to it.', examples: ['5m'] }),
  })
  .describe('Where Grafana Cloud makes the load: as whom, in which project and from where.');
