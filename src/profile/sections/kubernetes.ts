import { z } from 'zod';
import { clientLost, duration, text } from '../words/words.js';

const names = (what: string) => z.record(text(what), text(`a text in quotes (${what})`)).prefault({});

const memory = () =>
  text('an amount of memory such as `1Gi`').regex(/^\d+(\.\d+)?([KMGT]i?|k)?$/, {
    error: 'expected an amount of memory as Kubernetes writes it, such as `1Gi`',
  });

/** A toleration as a pod spec writes it. */
const toleration = z.strictObject({
  key: text('the key of a taint').exactOptional(),
  operator: z.enum(['Equal', 'Exists', 'Lt', 'Gt']).exactOptional(),
  value: z.string().exactOptional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional(),
  tolerationSeconds: z.int().exactOptional(),
});

/** Where runners are pods: which cluster, and what their pods are like. */
export const kubernetes = z
  .strictObject({
    context: text('a context of your kubeconfig')
      .meta({ description: 'The context of your kubeconfig, where it is not the current one.', examples: ['prod'] })
      .exactOptional(),
    namespace: text('a namespace')
      .meta({ description: 'The namespace of the pods; the current one of the context where it is not given.', examples: ['load-test'] })
      .exactOptional(),
    image: text('an image').meta({
      description: 'The image of the pods: Node, loadctl and k6.',
      examples: ['registry.example.com/loadctl:0.2.0'],
    }),
    pullSecrets: z
      .array(text('the name of a Secret'))
      .prefault([])
      .meta({ description: 'The Secrets that the image is pulled with.', examples: [['registry']] }),
    serviceAccount: text('a service account')
      .meta({ description: 'The service account of the conductor’s pod.', examples: ['loadctl-conductor'] })
      .exactOptional(),
    variables: z
      .strictObject({
        secret: text('the name of a Secret').meta({
          description: 'A Secret whose keys are variables: in the conductor it answers what is not set here.',
          examples: ['loadctl-prod'],
        }),
      })
      .meta({ description: 'Where variables come from that need not be on this machine.' })
      .exactOptional(),
    resources: z
      .strictObject({
        cpu: z
          .number()
          .positive()
          .meta({
            description: 'CPUs that a runner asks for; it has no limit. Without it: what `loadctl plan` expects it to use.',
            examples: [2],
          })
          .exactOptional(),
        memory: memory()
          .meta({
            description: 'Memory that a runner asks for, and may use at most. Without it: what `loadctl plan` expects, and a third more.',
            examples: ['1Gi'],
          })
          .exactOptional(),
      })
      .prefault({})
      .meta({ description: 'What each runner asks its node for.' }),
    conductor: z
      .strictObject({
        cpu: z
          .number()
          .positive()
          .prefault(0.5)
          .meta({ description: 'CPUs that the conductor asks for; it has no limit.', examples: [1] }),
        memory: memory()
          .meta({
            description:
              'Memory that the conductor asks for, and may use at most. Without it: what `loadctl plan` says, by the number of runners.',
            examples: ['1Gi'],
          })
          .exactOptional(),
      })
      .prefault({})
      .meta({ description: 'What the conductor’s pod asks its node for.' }),
    nodeSelector: names('a label of a node').meta({
      description: 'Labels of the nodes that runners may be on.',
      examples: [{ pool: 'load' }],
    }),
    tolerations: z
      .array(toleration)
      .prefault([])
      .meta({ description: 'Taints that runners tolerate, as a pod spec writes it.', examples: [[{ key: 'load', operator: 'Exists' }]] }),
    spread: text('a label of nodes')
      .prefault('kubernetes.io/hostname')
      .meta({ description: 'The label of nodes that runners are spread over.', examples: ['topology.kubernetes.io/zone'] }),
    labels: names('a label').meta({ description: 'More labels for Job and pods.', examples: [{ team: 'shop' }] }),
    annotations: names('an annotation').meta({ description: 'More annotations for the pods.', examples: [{ 'example.com/cost': 'load' }] }),
    egress: z
      .enum(['pod', 'node', 'nat'])
      .prefault('node')
      .meta({
        description:
          'Whose address connections to the target have: the pod’s own, its node’s, or a NAT gateway’s. `loadctl plan` counts ports by it.',
        examples: ['nat'],
      }),
    phases: z
      .enum(['cluster', 'here'])
      .prefault('cluster')
      .meta({
        description:
          'Where seed, cleanup and test work on the databases, and who holds their lock: the conductor in the cluster, or the loadctl that was typed (`here`; test is not there then).',
        examples: ['here'],
      }),
    onClientLost: clientLost()
      .meta({
        description:
          'What happens once no client follows the run. Without it: `continue`, and under CI without `--detach` `stop after 60s`.',
      })
      .exactOptional(),
    keepFor: duration()
      .prefault('24h')
      .meta({ description: 'How long the cluster keeps a run directory that was not collected.', examples: ['24h'] }),
    patch: z
      .strictObject({
        runner: z
          .record(z.string(), z.unknown())
          .prefault({})
          .meta({ description: 'A JSON merge patch on the pod spec of the runners.', examples: [{ priorityClassName: 'load' }] }),
        conductor: z
          .record(z.string(), z.unknown())
          .prefault({})
          .meta({ description: 'A JSON merge patch on the pod spec of the conductor.', examples: [{ priorityClassName: 'load' }] }),
      })
      .prefault({})
      .meta({ description: 'What else pods need.' }),
  })
  .meta({ description: 'kubernetes: the cluster, and what the pods are like.' });
