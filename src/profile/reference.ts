import { alternatives, inputSchema, type JsonSchema } from './json-schema.js';

const regenerate = 'npm run generate';

/** The page docs/profile.md: how a profile is read, then every key with type, default, example and meaning. */
export function referencePage(): string {
  const sections = Object.entries(inputSchema().properties ?? {});
  const top = sections.filter(([, schema]) => rowsOf('', schema).length === 0 && !alternatives(schema).some((each) => each.properties));
  const tables = sections.filter((section) => !top.includes(section)).map(([name, schema]) => sectionText(name, schema));
  const first = ['## Top-level keys', '', ...table(top.map(([name, schema]) => row(name, schema)))].join('\n');
  return `${introduction}\n${[first, ...tables].join('\n\n')}\n`;
}

const introduction = `# The profile

<!-- Made from src/profile/sections/schema.ts by \`${regenerate}\`. -->

A profile is one environment's YAML. \`--env staging\` reads \`profiles/staging.yaml\`; \`--profile FILE\` reads that file.
The first line \`# yaml-language-server: $schema=../schema/profile.schema.json\` makes editors check and complete it.

**extends.** \`extends: base.yaml\` lays a profile over another one, and that over a third: maps are merged key by key, lists and
single values are replaced, \`null\` removes what is inherited. Paths are relative to the file that sets them. Within one file,
anchors and \`<<: *name\` (or \`<<: [*a, *b]\`) merge as well; top-level keys such as \`x-defaults\` may hold them and are ignored.

**Variables.** \`\${NAME}\` and \`\${NAME:-default}\` may stand in any value, alone or inside a text; in brackets or braces, quote it.
They are filled in after the YAML is read, so a value cannot change the document. The environment is asked first, then
\`.env.<environment>\`, then \`.env\`: in the working directory, beside the profile, and above a folder that is called \`profiles\`. Such a file is read as
compose and dotenv do (\`export\`, quotes, comments behind a blank, \`$NAME\` and \`\${NAME:-default}\` but for single quotes); a line that is none of that is
refused. The default also takes the place of an empty value. \`$\${\`
is a literal \`\${\`. What stands in a URL must be written as URLs want it (\`@\` is \`%40\`). A variable without a value is an error, except
for \`plan\`, which needs no secrets.

**For one run.** \`--set workload.vus=10\` changes a value (\`--set cleanup.rows.0.column=owner\` inside a list; \`null\` removes; a key with a dot
is quoted: \`--set 'workload.env."a.b"=1'\`). \`-e KEY=VALUE\` adds to \`workload.env\`. Both are recorded with the run.

**Secrets** are passwords and tokens in URLs, fields named key, token or password, and what variables with such a name fill in. They appear nowhere. In
\`workload.env\` a literal is what it says (\`RATE: 40\` is recorded with the run), unless its name says secret: password, secret, token, key, credential, auth.
What \`\${NAME}\` fills in there is a secret, unless it is a number, a duration, a percentage, a rate, \`true\` or \`false\`, or a host such as \`http://10.0.0.7:8080\`.
\`-e KEY=VALUE\` goes by its name, \`-e KEY\` is filled in from the shell. Defaults written in a profile are not secrets.

**Quantities.** Durations: \`250ms\`, \`30s\`, \`1m30s\`, \`2h\`, \`1d\`. Percentages: \`99.9%\`. Rates: \`30000/s\`, \`600/m\`. Sizes: \`512kB\`,
\`10MB\`, \`1GiB\`. Counts: \`1000\`, \`30_000\`. Parts of the test: \`30s..9m30s\`. The type *any* is checked by whoever reads it.

**Limits.** \`< 500ms\`, \`>= 99.9%\`, \`30000/s\`: with an operator (\`<\`, \`<=\`, \`>\`, \`>=\`, \`==\`, \`!=\`) or bare. A bare value is a
lower limit (\`>=\`) for \`availability\` and \`throughput\`, else an upper one (\`<\`). YAML takes a leading \`>\` for a block of text: quote it,
\`"> 5%"\`. A latency without a unit is in milliseconds; a share may be written \`0.001\`, and a bare \`1\`
or more is refused, as it may be meant as 1%.
`;

interface Row {
  readonly key: string;
  readonly type: string;
  readonly standard: string;
  readonly example: string;
  readonly meaning: string;
}

function sectionText(name: string, schema: JsonSchema): string {
  const tables = variants(name, schema).flatMap(({ path, map, title }) => [
    '',
    ...(title === '' ? [] : [`### ${title}`, '']),
    ...table(rowsOf(path, map)),
  ]);
  return [`## ${name}`, '', schema.description ?? '', ...tables].join('\n');
}

/** A section's alternatives, each a table of its own; the section itself where it has none. */
function variants(name: string, schema: JsonSchema): { path: string; map: JsonSchema; title: string }[] {
  const each = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : schema.items;
  const path = each === undefined ? name : each === schema.items ? `${name}[]` : `${name}.NAME`;
  const maps = alternatives(each ?? schema).filter((map) => map.properties);
  if (maps.length < 2) return [{ path: name, map: schema, title: '' }];
  return maps.map((map) => ({ path, map, title: (map.description ?? '').replace(/\.$/, '') }));
}

function table(rows: readonly Row[]): string[] {
  const lines = rows.map(
    ({ key, type, standard, example, meaning }) => `| ${[`\`${key}\``, type, standard, example, meaning].map(cell).join(' | ')} |`,
  );
  return ['| key | type | default | example | meaning |', '|---|---|---|---|---|', ...lines];
}

/** The rows of all keys below a schema, each with its whole path. */
function rowsOf(path: string, schema: JsonSchema): Row[] {
  const maps = alternatives(schema).flatMap((each) => [
    each,
    ...(each.items ? alternatives(each.items).map((item) => ({ ...item, inList: true })) : []),
  ]);
  const prefix = (inList: boolean) => `${path}${inList ? '[]' : ''}.`;
  return unique(
    maps.flatMap((map) => {
      const inside = prefix('inList' in map);
      const named = Object.entries(map.properties ?? {}).flatMap(([key, property]) => [
        row(`${inside}${key}`, property, requiredIn(map, key)),
        ...rowsOf(`${inside}${key}`, property),
      ]);
      const free = typeof map.additionalProperties === 'object' ? rowsOf(`${inside}NAME`, map.additionalProperties) : [];
      return [...named, ...free];
    }),
  );
}

/** Alternatives share keys; one with the same text is said once, constants are gathered. */
function unique(rows: readonly Row[]): Row[] {
  return rows.filter((each, index) => rows.findIndex((other) => other.key === each.key && other.meaning === each.meaning) === index);
}

function requiredIn(schema: JsonSchema, key: string): boolean {
  return schema.required?.includes(key) ?? false;
}

function row(key: string, schema: JsonSchema, required = false): Row {
  const example = schema.examples?.[0];
  return {
    key,
    type: typeOf(schema),
    standard: required ? '*required*' : schema.default === undefined ? '' : code(schema.default),
    example: example === undefined ? '' : code(example),
    meaning: schema.description ?? '',
  };
}

function typeOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(', ');
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) return [...new Set(branches.map(typeOf))].join(' or ');
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (typeof schema.additionalProperties === 'object' && schema.properties === undefined)
    return `map of ${typeOf(schema.additionalProperties)}`;
  if (schema.properties) return 'map';
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.length === 0 ? 'any' : types.map(typeName).join(' or ');
}

function typeName(type: string): string {
  return { string: 'text', object: 'map', array: 'list', boolean: '`true` or `false`', null: '`null`' }[type] ?? type;
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : flow(value)}\``;
}

/** A value as flow YAML that people would write. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${flow(item)}`)
      .join(', ')}}`;
  }
  return typeof value === 'string' && /[{}[\]]|^[>@%*&!|]/.test(value) ? `"${value}"` : String(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
