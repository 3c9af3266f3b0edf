import type { Broken, Rule } from './types.js';

/** Each InfluxDB is one of three versions: what it has says which. */
export const outputsRule: Rule = ({ profile: { outputs } }) =>
  Object.entries(outputs ?? {}).flatMap(([name, config]): Broken[] => {
    if (config.kind !== 'influxdb') return [];
    const { database, bucket, org, token } = config;
    const broken = (word: string, message: string, lacks: readonly string[] = []): Broken => ({
      path: ['outputs', name, word],
      on: 'key',
      message,
      lacks: lacks.map((key) => ['outputs', name, key]),
    });
    return [
      ...(bucket !== undefined && database !== undefined
        ? [broken('database', '`bucket` (InfluxDB 2) and `database` (1 and 3) exclude each other')]
        : []),
      ...(bucket !== undefined && token === undefined ? [broken('bucket', '`bucket` needs `token`', ['token'])] : []),
      ...(org !== undefined && bucket === undefined ? [broken('org', '`org` needs `bucket`', ['bucket'])] : []),
    ];
  });
