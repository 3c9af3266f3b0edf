import { z } from 'zod';
import { type Occasion, occasions } from '../../core/outputs.js';
import { count, duration, text, url } from '../words/words.js';

const usually: readonly Occasion[] = occasions.filter((occasion) => occasion !== 'started');

const on = () =>
  z
    .array(z.enum(occasions))
    .min(1, { error: 'expected at least one occasion' })
    .default([...usually])
    .meta({ description: 'What it reports; all but `started` without it.', examples: [['breach', 'recovered', 'failed']] });

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
    webhook: url(['http', 'https'], 'https://hooks.slack.com/services/…')
      .describe('Its incoming webhook. Path and query are secret. Or `token` and `channel`.')
      .exactOptional(),
    token: text('a token')
      .meta({ description: 'Of a bot that may `chat:write`: a run is one thread.', examples: ['${SLACK_TOKEN}'] })
      .exactOptional(),
    channel: text('a channel')
      .meta({ description: 'Where the bot writes: the id of a channel, or its name.', examples: ['C0123456789'] })
      .exactOptional(),
    api: url(['http', 'https'], 'https://slack.com/api')
      .describe('With `token`: where Slack’s Web API is, where it is not slack.com.')
      .exactOptional(),
    on: on(),
  })
  .describe('slack: a channel, by its incoming webhook or by a bot.');

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

const influxdb = z
  .strictObject({
    kind: z.literal('influxdb').describe('An InfluxDB: what was measured, second by second.'),
    url: url(['http', 'https'], 'http://influx.example.com:8086').describe(
      'Its base URL; of InfluxDB 1 with user and password, if need be.',
    ),
    database: text('a database')
      .meta({
        description: 'InfluxDB 1, and 3 with a `token`: the database; made where it is missing (1), `k6` without it.',
        examples: ['k6'],
      })
      .exactOptional(),
    bucket: text('a bucket')
      .meta({ description: 'InfluxDB 2: the bucket.', examples: ['k6'] })
      .exactOptional(),
    org: text('an organisation')
      .meta({ description: 'InfluxDB 2: the organisation of the bucket.', examples: ['shop'] })
      .exactOptional(),
    token: text('a token')
      .meta({ description: 'InfluxDB 2 and 3: what to log in with.', examples: ['${INFLUX_TOKEN}'] })
      .exactOptional(),
    families: z
      .array(z.enum(['loadctl', 'k6']))
      .min(1, { error: 'expected at least one family' })
      .default(['loadctl'])
      .meta({
        description:
          'Which measurements: `loadctl` says what it is, `k6` is what k6’s own output would write, for dashboards that are there.',
        examples: [['loadctl', 'k6']],
      }),
    maxPoints: count()
      .prefault(5000)
      .meta({ description: 'Family `k6`: about so many points a second, by the planned rate.', examples: [20_000] }),
    weight: count()
      .meta({ description: 'Family `k6`: how many requests a point stands for, instead of what `maxPoints` makes of it.', examples: [1] })
      .exactOptional(),
  })
  .describe('influxdb: an InfluxDB 1, 2 or 3.');

const prometheus = z
  .strictObject({
    kind: z.literal('prometheus').describe('Whatever takes Prometheus’ remote write.'),
    url: url(['http', 'https'], 'https://prometheus.example.com/api/v1/write').describe('Where it is written to.'),
    query: url(['http', 'https'], 'https://prometheus.example.com')
      .describe('Its base URL for queries: what was written is looked for there at the end. Not checked without it.')
      .exactOptional(),
    token: text('a token')
      .meta({ description: 'Sent as `Authorization: Bearer …`.', examples: ['${PROM_TOKEN}'] })
      .exactOptional(),
    histograms: z
      .enum(['native', 'classic', 'both', 'none'])
      .default('native')
      .meta({
        description: 'How trends are written: as native histograms, as classic ones (36 series each) for a receiver without those, or not.',
        examples: ['classic'],
      }),
    stats: z
      .array(
        z
          .string()
          .regex(/^(?:avg|min|med|max|p\((?:\d{1,2}(?:\.\d+)?|100)\))$/, { error: 'expected a stat such as `p(95)`, `med` or `max`' }),
      )
      .default([])
      .meta({
        description: 'Stats of trends that are written as gauges of all requests, such as `k6_http_req_duration_p95`; none without it.',
        examples: [['med', 'p(95)', 'p(99)']],
      }),
    every: duration()
      .prefault('5s')
      .meta({ description: 'How often it is written; each time is a data point of every series.', examples: ['1s'] }),
  })
  .describe('prometheus: a Prometheus by remote write.');

const grafana = z
  .strictObject({
    kind: z.literal('grafana').describe('A Grafana: its graphs are marked with the run, and messages link to its dashboard.'),
    url: url(['http', 'https'], 'https://grafana.example.com').describe('Its base URL.'),
    token: text('a token')
      .meta({
        description: 'Of a service account that may write annotations; without it there are links only.',
        examples: ['${GRAFANA_TOKEN}'],
      })
      .exactOptional(),
    dashboard: text('the uid of a dashboard')
      .regex(/^[\w-]{1,40}$/, { error: 'expected the uid of a dashboard: letters, digits, `-` and `_`' })
      .prefault('loadctl')
      .meta({
        description: 'The uid of the dashboard that messages link to; `loadctl` and `loadctl-influxdb` are those of monitoring/grafana.',
        examples: ['loadctl-influxdb'],
      }),
  })
  .describe('grafana: a Grafana, by annotations.');

/** Where people and dashboards hear of a run, by name. */
export const outputs = z
  .record(
    z.string().regex(/^[A-Za-z][\w-]*$/, { error: 'expected a name of letters, digits, `-` and `_`' }),
    z.discriminatedUnion('kind', [influxdb, prometheus, grafana, webhook, slack, teams, pagerduty]),
  )
  .prefault({})
  .meta({
    description: 'Where people and dashboards hear of a run while it goes on, each with a name of your choice; see docs/outputs.md.',
  });

/** One output of a profile. */
export type OutputConfig = z.output<typeof outputs>[string];
