import { z } from 'zod';
import { count, duration, percentage, text } from '../words.js';

/** Where the load is made. */
export const runners = z
  .strictObject({
    backend: z
      .enum(['local', 'ssh', 'kubernetes', 'cloud'])
      .default('local')
      .meta({ description: 'Where the runners live.', examples: ['ssh'] }),
    count: count()
      .prefault(1)
      .meta({ description: 'How many k6 processes make the load, as one test.', examples: [2] }),
    onLost: z
      .enum(['abort', 'continue'])
      .default('abort')
      .meta({ description: 'What happens when a runner is lost: the test ends, or the others finish it.', examples: ['continue'] }),
    allowedLoss: percentage()
      .meta({ description: 'With `continue`: the share of the load that may be lost without an invalid result.', examples: ['10%'] })
      .exactOptional(),
    k6: text('the path of k6')
      .meta({ description: 'The k6 to use, where it is not the one that is found.', examples: ['/usr/bin/k6'] })
      .exactOptional(),
    readyTimeout: duration()
      .prefault('60s')
      .meta({ description: 'How long all runners together may take to be ready.', examples: ['5m'] }),
    hosts: z
      .array(text('a host such as `load-1.example.com`'))
      .min(1, { error: 'expected at least one host' })
      .meta({ description: 'ssh: the machines, as ssh knows them.', examples: [['load-1.example.com', 'load-2.example.com']] })
      .exactOptional(),
    namespace: text('a namespace')
      .meta({ description: 'kubernetes: the namespace of the pods.', examples: ['load-test'] })
      .exactOptional(),
    image: text('an image')
      .meta({ description: 'kubernetes: the image of the pods.', examples: ['loadctl:0.1.0'] })
      .exactOptional(),
  })
  .prefault({})
  .describe('Where the load is made.');
