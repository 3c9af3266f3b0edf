import { z } from 'zod';
import { count, duration, flag, percentage, text } from '../words/words.js';
import { cloud } from './cloud.js';
import { kubernetes } from './kubernetes.js';
import { machine } from './machine.js';

/** The word that a backend cannot do without: that of the machines that make the load. */
export const wordNeeded: { readonly [backend: string]: 'hosts' | 'kubernetes' | 'cloud' | undefined } = {
  ssh: 'hosts',
  kubernetes: 'kubernetes',
  cloud: 'cloud',
};

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
      .array(machine)
      .min(1, { error: 'expected at least one host' })
      .meta({
        description: 'ssh: the machines, as ssh knows them (`user@host:port` will do). Runners are dealt to them in turn.',
        examples: [['load-1.example.com', 'load-2.example.com']],
      })
      .exactOptional(),
    sshConfig: text('the path of an ssh config')
      .meta({ description: 'ssh: the config to use instead of your own `~/.ssh/config`.', examples: ['./ssh_config'] })
      .exactOptional(),
    hostK6: text('`bring`, or the path of k6 on the hosts')
      .meta({
        description: 'ssh: the k6 of the hosts where it is not on their PATH; `bring` copies this machine’s k6 to them for the run.',
        examples: ['bring', '/opt/k6/k6'],
      })
      .exactOptional(),
    keep: flag()
      .meta({ description: 'ssh: leave the runners’ folders on the hosts, to look into them.', examples: [true] })
      .exactOptional(),
    kubernetes: kubernetes.exactOptional(),
    cloud: cloud.exactOptional(),
  })
  .prefault({})
  .describe('Where the load is made.');
