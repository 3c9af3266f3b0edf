import { z } from 'zod';
import { type Occasion, occasions } from '../../core/outputs.js';
import { text, url } from '../words/words.js';

const usually: readonly Occasion[] = occasions.filter((occasion) => occasion !== 'started');

const on = () =>
  z
    .array(z.enum(occasions))
    .min(1, { error: 'expected at least one occasion' })
    .default([...usually])
    .meta({ description: 'What is told there; all but `started` without it.', examples: [['breach', 'recovered', 'failed']] });

/** A secret that may be written in one way only, or that comes from a variable that is not known yet. */
const secret = (expected: string, pattern: RegExp) =>
  text(expected).regex(new RegExp(`${pattern.source}|\\$\\{`), { error: `expected ${expected}` });

const webhook = z
  .strictObject({
    kind: z.literal('webhook').describe('Your own receiver: JSON, signed as Standard Webhooks says.'),
    url: url(['http', 'https'], 'https://hooks.example.com/loadctl').describe('Where it is sent. Its path and query are secret.'),
    secret: secret('a secret such as `whsec_…` (base64)', /^(whsec_)?[A-Za-z0-9+/]+=*$/)
      .meta({ description: 'What it is signed with; not signed without it.', examples: ['${WEBHOOK_SECRET}'] })
      .exactOptional(),
    on: on(),
  })
  .describe('webhook: a receiver of your own.');

const slack = z
  .strictObject({
    kind: z.literal('slack').describe('A channel in Slack.'),
    webhook: url(['http', 'https'], 'https://hooks.slack.com/services/…').describe('Its incoming webhook. Path and query are secret.'),
    on: on(),
  })
  .describe('slack: a channel, by its incoming webhook.');

const teams = z
  .strictObject({
    kind: z.literal('teams').describe('A channel or chat in Microsoft Teams.'),
    webhook: url(['http', 'https'], 'https://….environment.api.powerplatform.com/…').describe(
      'The URL of a workflow that waits for webhook requests. Path and query are secret.',
    ),
    on: on(),
  })
  .describe('teams: a channel or chat, by a workflow.');

const pagerduty = z
  .strictObject({
    kind: z.literal('pagerduty').describe('A service in PagerDuty.'),
    routingKey: text('an integration key').meta({
      description: 'The integration key of the service (Events API v2).',
      examples: ['${PD_KEY}'],
    }),
    url: url(['http', 'https'], 'https://events.eu.pagerduty.com/v2/enqueue')
      .prefault('https://events.pagerduty.com/v2/enqueue')
      .describe('Where events go, where it is not PagerDuty’s usual region.'),
    on: on(),
  })
  .describe('pagerduty: an incident opens with a breach and ends with it.');

/** Where people and dashboards hear of a run, by name. */
export const outputs = z
  .record(
    z.string().regex(/^[A-Za-z][\w-]*$/, { error: 'expected a name of letters, digits, `-` and `_`' }),
    z.discriminatedUnion('kind', [webhook, slack, teams, pagerduty]),
  )
  .prefault({})
  .meta({
    description: 'Where people and dashboards hear of a run while it goes on, each with a name of your choice; see docs/outputs.md.',
  });

/** One output of a profile. */
export type OutputConfig = z.output<typeof outputs>[string];
