import { formatDuration } from '../../core/quantities.js';
import { quotedWhereNeeded } from '../../profile/words/names.js';
import type { Known, ReadScript } from './answers.js';
import { limitsOf } from './limits.js';
import type { Proposal, ProposedRows, ProposedSet } from './propose.js';
import { indented, yamlKey, yamlMap } from './yaml.js';

export const schemaLine = '# yaml-language-server: $schema=../node_modules/loadctl/schema/profile.schema.json';

/** The profile that all environments extend: the script, the test data, the limits. */
export function baseProfile(known: Known): string {
  const sections = [workload(known.script), stores(known), users(known), seed(known), cleanup(known), sla(known.script)];
  return [
    schemaLine,
    '# What dev, staging and prod have in common; each of them extends this file. Every word is explained in loadctl’s',
    '# docs/profile.md. A comment that begins with `?` is yours to decide: loadctl could not know it.',
    '',
    ...sections.filter((lines) => lines.length > 0).flatMap((lines) => [...lines.map(onOneLine), '']),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

/** Names in a database may hold anything, and a comment ends with its line. */
function onOneLine(line: string): string {
  return line.replaceAll(/[\r\n\u0085\u2028\u2029]+/g, ' ');
}

function workload(script: ReadScript | undefined): string[] {
  if (script === undefined) {
    return [
      'workload:',
      '  script: ../k6/first.js',
      '  pacing: 1s                             # each virtual user begins one iteration a second',
      '  endpoints: {home: GET /}               # what the plan counts; the script names its requests so',
      '  mix: {home: 100%}',
    ];
  }
  return ['workload:', `  script: ${JSON.stringify(`../${script.path}`)}`, ...indented([...ownLoad(script), ...variables(script)])];
}

function ownLoad({ load, unread }: ReadScript): string[] {
  if (unread !== undefined) return [`# ? its scenarios and thresholds were not read: ${unread}`];
  if (load === undefined) return ['# it has no load of its own: vus and duration are each environment’s'];
  return [
    `# its own scenarios make the load, up to ${load.vus} VUs for ${formatDuration(load.durationMs)}:`,
    ...load.scenarios.map(
      ({ name, executor, vus, durationMs, iterations }) =>
        `#   ${name}: ${executor}, up to ${vus} VUs, ${iterations === undefined ? '' : `${iterations} iterations in `}${formatDuration(durationMs)}`,
    ),
    '# scale: 10%                           # for less of it: VUs and rates, at least 1 of each',
  ];
}

function variables({ variables: names }: ReadScript): string[] {
  if (names.length === 0) return [];
  return [
    '# ? the script reads these and has no value for them; what `${…}` fills in is secret:',
    `# env: {${names.map((name) => `${name}: "\${${name}}"`).join(', ')}}`,
  ];
}

function stores({ db, redis }: Known): string[] {
  if (db === undefined && redis === undefined) {
    return [
      '# ? does the test write rows, or need some? Name the database, and what goes in and out (docs/from-script-to-profile.md):',
      '# stores:',
      '#   db: {kind: postgres}                 # its url is each environment’s',
    ];
  }
  return [
    'stores:                                  # where they are is each environment’s to say',
    ...(db === undefined ? [] : ['  db: {kind: postgres}']),
    ...(redis === undefined ? [] : ['  cache: {kind: redis}']),
  ];
}

function users({ proposal, script }: Known): string[] {
  if (proposal?.pool === undefined) return [];
  const line = `users: {strategy: pool, from: ${JSON.stringify(proposal.pool)}}`;
  return [
    '# The script gets LOADCTL_POOL_SIZE and LOADCTL_POOL_ID and makes the same ids (docs/script-contract.md).',
    ...(script === undefined ? [] : ['# ? does yours? It need not: this only names the set that its users are from.']),
    line,
  ];
}

function seed({ proposal, redis }: Known): string[] {
  const [first] = proposal?.sets ?? [];
  const last = proposal?.sets.at(-1);
  const entries = redis === undefined || last === undefined ? [] : entriesHint(last);
  if (proposal === undefined || first === undefined) return [...openTables(proposal), ...entries];
  return [
    'seed:                                    # named sets; `loadctl seed` inserts them, once',
    ...indented(proposal.sets.flatMap(setLines)),
    ...indented(entries),
    ...indented(openTables(proposal)),
  ];
}

function setLines({ name, table, rows, columns, notes }: ProposedSet): string[] {
  return [
    `${yamlKey(name)}:`,
    ...indented([
      ...notes.map((note) => `# ${note}`),
      `table: ${JSON.stringify(`db.${table}`)}`,
      `rows: ${rows}`,
      'columns:',
      ...indented(Object.entries(columns).map(([column, value]) => yamlMap({ [column]: value }).slice(1, -1))),
    ]),
  ];
}

/** What a cache holds, the catalog of a database does not say. */
function entriesHint({ name, rows, columns }: ProposedSet): string[] {
  const key = quotedWhereNeeded(Object.keys(columns)[0] ?? 'id');
  return [
    '# ? does the service look such rows up in the cache? Then warm it:',
    `# cached: {key: "cache/${name}:{${name}.${key}}", rows: ${rows}, value: {${key}: "{${name}.${key}}"}, ttl: 1h}`,
  ];
}

function openTables(proposal: Proposal | undefined): string[] {
  return (proposal?.open ?? []).map(({ table, why }) => `# ? ${table} is not seeded: ${why}`);
}

function cleanup({ proposal, redis }: Known): string[] {
  const rows = proposal?.rows ?? [];
  if (proposal === undefined && redis === undefined) return [];
  return [
    'cleanup:                                 # what the test leaves; rows of others stay, and the receipt proves it',
    '  prefix: load-test-user-                # what ids begin with that the script makes up',
    ...(rows.length === 0
      ? ['  # ? rows: [{table: db.orders, column: user_id}]', '  #   tables that the test writes to, and the column that holds such an id']
      : ['  rows:', ...indented(rows.map(rowsLine), 2)]),
    ...apartLines(proposal),
    ...(redis === undefined
      ? []
      : ['  keys:', '    - {match: "cache/*load-test-user-*"}   # ? and keys that the service makes for seeded rows']),
  ];
}

function rowsLine({ table, column, in: of, via }: ProposedRows): string {
  const parent = via === undefined ? {} : { via: 'set' in via ? via.set : `db.${via.table}` };
  return `- ${yamlMap({ table: `db.${table}`, ...(column === undefined ? {} : { column }), ...(of === undefined ? {} : { in: of }), ...parent })}`;
}

function apartLines(proposal: Proposal | undefined): string[] {
  const apart = proposal?.apart ?? [];
  if (apart.length === 0) return [];
  return [`  # ? these hold no key to a seeded row; where the test writes to one, list it: ${apart.join(', ')}`];
}

const usualSla = { p95: '< 500ms', errors: '< 1%' };

function sla(script: ReadScript | undefined): string[] {
  const { sla: own, others } = script === undefined ? { sla: {}, others: [] } : limitsOf(script);
  const isOwn = Object.keys(own).length > 0;
  const limits = isOwn ? own : usualSla;
  return [
    'sla:',
    ...(isOwn ? ['  # from the thresholds of the script, which hold as well, for the whole test'] : []),
    ...Object.entries(limits).map(([word, limit]) => `  ${word}: ${JSON.stringify(limit)}`),
    ...(others.length === 0 ? [] : ['  # these thresholds of the script hold as they are:', ...others.map((one) => `  #   ${one}`)]),
  ];
}
