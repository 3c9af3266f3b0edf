import { formatDuration } from '../../core/quantities.js';
import { isLoopback } from '../../plan/hosts.js';
import type { Known, Place } from './answers.js';
import { schemaLine } from './base-profile.js';
import { yamlMap } from './yaml.js';

/** The profile of this machine's environment. */
export function devProfile(known: Known): string {
  const { url, db, redis } = known;
  const hosts = hostsBeyond([url, db?.url, redis?.url]);
  return text([
    schemaLine,
    '# What `--env dev` means, on top of base.yaml.',
    'extends: base.yaml',
    'environment: dev',
    '',
    'target:',
    `  url: ${JSON.stringify(`\${BASE_URL:-${url}}`)}   # the script sees it as __ENV.BASE_URL`,
    '  # health: /healthz                     # ? probed once a second; then sla can hold `availability: 99.9%`',
    '',
    ...load(known, { vus: 10, duration: '20s', ramp: '2s' }),
    ...places(db, redis),
    'runners: {backend: local, count: 2}',
    ...(hosts.length === 0
      ? []
      : [
          '',
          `guards: {allow: [${hosts.map((host) => JSON.stringify(host)).join(', ')}]}   # what this test may touch beyond this machine`,
        ]),
  ]);
}

/** A rehearsal: its hosts are placeholders. */
export function stagingProfile(known: Known): string {
  return text([
    ...head('staging'),
    ...load(known, { vus: 100, duration: '10m', ramp: '30s' }),
    ...managed('staging', known),
    ...guards('staging', known),
  ]);
}

/** The real thing: its hosts are placeholders, and its guards the strictest. */
export function prodProfile(known: Known): string {
  return text([
    ...head('prod'),
    ...load(known, { vus: 1000, duration: '30m', ramp: '2m' }),
    ...managed('prod', known),
    'abort:                                   # mandatory with `level: production`',
    '  - {when: errors > 5%, for: 30s, after: 1m}',
    '',
    ...guards('prod', known, ['level: production', 'receipt: count']),
  ]);
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n').trimEnd()}\n`;
}

function head(environment: string): string[] {
  return [
    schemaLine,
    `# ? What \`--env ${environment}\` means, on top of base.yaml. Put your hosts in, here and in guards.allow; passwords go into`,
    `# .env.${environment} or the environment (.env.example has their names). \`loadctl plan --env ${environment}\` needs none of them.`,
    'extends: base.yaml',
    `environment: ${environment}`,
    '',
    'target:',
    `  url: https://${environment}.example.com`,
    '  # health: /healthz                     # ? probed once a second; then sla can hold `availability: 99.9%`',
    ...(environment === 'prod'
      ? ['  # ? blue-green? `colours` and `live` instead of `url`: only the colour that is not live is loaded (docs/guards.md)']
      : []),
    '',
  ];
}

interface Load {
  readonly vus: number;
  readonly duration: string;
  readonly ramp: string;
}

/** A script with scenarios of its own needs no load of a profile. */
function load({ script }: Known, { vus, duration, ramp }: Load): string[] {
  if (script?.load !== undefined) return [];
  const lines = [
    `vus: ${vus}`,
    `duration: ${duration}                        # ramps included`,
    `ramp: ${ramp}                             # up and down; the SLA is judged on what lies between`,
  ];
  if (script?.unread !== undefined)
    return ['# ? where the script has no load of its own:', `# workload: {vus: ${vus}, duration: ${duration}, ramp: ${ramp}}`, ''];
  return ['workload:', ...lines.map((line) => `  ${line}`), ''];
}

function places(db: Place | undefined, redis: Place | undefined): string[] {
  if (db === undefined && redis === undefined) return [];
  const place = ({ url, variable }: Place) => yamlMap({ url, ...(variable === undefined ? {} : { password: `\${${variable}}` }) });
  return ['stores:', ...(db === undefined ? [] : [`  db: ${place(db)}`]), ...(redis === undefined ? [] : [`  cache: ${place(redis)}`]), ''];
}

function managed(environment: string, { db, redis }: Known): string[] {
  const database = db === undefined ? '' : new URL(db.url).pathname.slice(1) || 'app';
  const lines = [
    ...(db === undefined
      ? []
      : [
          `  db: {url: "postgres://loadctl@db.${environment}.example.com:5432/${database}", password: "\${DB_PASSWORD}", tls: {mode: verify-full}}`,
        ]),
    ...(redis === undefined ? [] : [`  cache: {url: "rediss://cache.${environment}.example.com:6379/0", password: "\${REDIS_PASSWORD}"}`]),
  ];
  return [
    ...(lines.length === 0 ? [] : ['stores:', ...lines, '']),
    'runners: {backend: local, count: 2}      # ? more machines: backend: ssh and hosts, or kubernetes (docs/ssh.md, docs/kubernetes.md)',
    '',
  ];
}

function guards(environment: string, { db, redis, script }: Known, more: readonly string[] = []): string[] {
  const hosts = [environment, ...(db === undefined ? [] : [`db.${environment}`]), ...(redis === undefined ? [] : [`cache.${environment}`])];
  const { vus, durationMs } = script?.load ?? {};
  return [
    'guards:',
    ...more.map((line) => `  ${line}`),
    `  allow: [${hosts.map((host) => `${host}.example.com`).join(', ')}]`,
    ...(vus === undefined || durationMs === undefined
      ? [`  maxVus: ${environment === 'prod' ? 1000 : 200}`, `  maxDuration: ${environment === 'prod' ? '30m' : '15m'}`]
      : [
          `  maxVus: ${vus}                             # what the script’s own scenarios make`,
          `  maxDuration: ${formatDuration(Math.ceil(durationMs / 1000) * 1000)}`,
        ]),
  ];
}

/** The hosts of these URLs that are not this machine. */
function hostsBeyond(urls: readonly (string | undefined)[]): string[] {
  const hosts = urls.flatMap((url) => (url === undefined ? [] : [new URL(url).hostname.replace(/^\[|\]$/g, '')]));
  return [...new Set(hosts)].filter((host) => host !== '' && !isLoopback(host));
}
