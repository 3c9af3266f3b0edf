import { alternatives, inputSchema, type JsonSchema } from './json-schema.js';
import { nearest } from './words/near.js';

/** What k6 and other tools call what a profile has a word for. */
const others: Readonly<Record<string, string>> = {
  users: 'workload.vus',
  virtualUsers: 'workload.vus',
  threads: 'workload.vus',
  concurrency: 'workload.vus',
  connections: 'workload.vus',
  time: 'workload.duration',
  arrivalRate: 'workload.rate',
  file: 'workload.script',
  test: 'workload.script',
  host: 'target.url',
  baseUrl: 'target.url',
  base_url: 'target.url',
  healthcheck: 'target.health',
  thresholds: 'sla',
  databases: 'stores',
  parallelism: 'runners.count',
  workers: 'runners.count',
  agents: 'runners.count',
};

/** Options of k6 that people write where a profile has words of its own. */
const ofK6 = [
  'stages',
  'scenarios',
  'iterations',
  'rps',
  'tags',
  'userAgent',
  'batch',
  'hosts',
  'insecureSkipTLSVerify',
  'noConnectionReuse',
];

/** The word of a profile for what k6 or another tool calls so. */
export function ownWordFor(key: string): string | undefined {
  return ofK6.includes(key) ? `workload.options.${key}` : others[key];
}

/** The only other section that has this key, or the one that has nearly that name. */
export function elsewhere(key: string): string | undefined {
  const sections = Object.entries(inputSchema().properties ?? {});
  const places = sections.flatMap(([section, schema]) => (keysOf(schema).includes(key) ? [`${section}.${key}`] : []));
  const names = sections.map(([section]) => section);
  return places.length === 1 ? places[0] : nearest(key, names);
}

function keysOf(schema: JsonSchema): string[] {
  return [...new Set(alternatives(schema).flatMap(({ properties }) => Object.keys(properties ?? {})))];
}
