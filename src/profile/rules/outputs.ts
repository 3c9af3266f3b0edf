import type { OutputConfig } from '../sections/outputs.js';
import type { Broken, Rule } from './types.js';

/** Each InfluxDB is one of three versions, each Slack one of two ways: what it has says which. */
export const outputsRule: Rule = ({ profile: { outputs } }) =>
  Object.entries(outputs ?? {}).flatMap(([name, config]): Broken[] => {
    const broken = (word: string, message: string, lacks: readonly string[] = []): Broken => ({
      path: ['outputs', name, word],
      on: 'key',
      message,
      lacks: lacks.map((key) => ['outputs', name, key]),
    });
    if (config.kind === 'slack') return slackWay(config, broken);
    if (config.kind !== 'influxdb') return [];
    const { database, bucket, org, token } = config;
    return [
      ...(bucket !== undefined && database !== undefined
        ? [broken('database', '`bucket` (InfluxDB 2) and `database` (1 and 3) exclude each other')]
        : []),
      ...(bucket !== undefined && token === undefined ? [broken('bucket', '`bucket` needs `token`', ['token'])] : []),
      ...(org !== undefined && bucket === undefined ? [broken('org', '`org` needs `bucket`', ['bucket'])] : []),
    ];
  });

type Say = (word: string, message: string, lacks?: readonly string[]) => Broken;

function slackWay({ webhook, token, channel, api }: Extract<OutputConfig, { readonly kind: 'slack' }>, broken: Say): Broken[] {
  if (webhook !== undefined && token !== undefined) return [broken('token', '`webhook` and `token` exclude each other')];
  if (webhook === undefined && token === undefined)
    return [broken('kind', 'slack needs `webhook`, or `token` and `channel`', ['webhook', 'token'])];
  if (token !== undefined && channel === undefined) return [broken('token', '`token` needs `channel`', ['channel'])];
  const extra = channel !== undefined ? 'channel' : 'api';
  if (token === undefined && (channel !== undefined || api !== undefined))
    return [broken(extra, `\`${extra}\` needs \`token\``, ['token'])];
  return [];
}
