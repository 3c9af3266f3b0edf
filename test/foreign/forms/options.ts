import type { Form } from '../form.js';

const unreadable = 'a script that k6 cannot read is an invalid one (104); k6 itself has 107 or 255 for it';

/** Every way to write a script down: options, modules, languages, archives, variables. */
export const options: readonly Form[] = [
  { script: 'options-by-function.js', ends: 0 },
  {
    script: 'options-by-environment.js',
    ends: 0,
    env: () => ({ SCENARIOS: 'smoke', MOST_FAILED: '0.5', AGENT: 'chosen/1' }),
  },
  { script: 'any-case-options.js', ends: 0 },
  { script: 'unknown-option.js', ends: 0, tells: [/unknown field \\?"thresholdz\\?"/] },
  { script: 'common-js.js', ends: 0 },
  { script: 'common-js-module.js', ends: 0 },
  { script: 'odd-options.js', ends: 0 },
  { script: 'few-system-tags.js', ends: 0 },
  { script: 'everyday-names.js', ends: 0 },
  { script: 'imports.js', ends: 0 },
  { script: 'reexports.js', ends: 0 },
  { script: 'async-default.js', ends: 0 },
  { script: 'typed.ts', ends: 0 },
  { script: 'deep/er/far-from-home.js', ends: 0 },
  { script: 'fed-k6-names.js', ends: 0 },
  { script: 'fed-k6-names.js', as: 'fed', ends: 0, fed: { K6_ITERATIONS: '4', K6_DURATION: '3s' } },
  { script: 'shared-iterations.js', as: 'archived', ends: 0, archived: true },
  { script: 'shared-array.js', as: 'archived', ends: 0, archived: true },
  { script: 'setup-data.js', as: 'archived', ends: 0, archived: true },
  {
    script: 'wanted-variable.js',
    ends: 0,
    shell: { ACCOUNT: '{"plan":"gold"}' },
    decided: { code: 107, because: 'the shell is not handed on: what the script wants comes from the profile or by -e' },
    uncounted: 'metrics and requests',
    tells: [/-e ACCOUNT\b/],
  },
  {
    script: 'wanted-variable.js',
    as: 'given',
    ends: 0,
    env: () => ({ ACCOUNT: '{"plan":"gold"}' }),
  },
  { script: 'json-import.js', ends: 107, decided: { code: 104, because: unreadable } },
  {
    script: { source: 'import { at } from "./nowhere.js";\nexport default function () {}\n' },
    as: 'an import that is not there',
    ends: 107,
    decided: { code: 104, because: unreadable },
  },
  {
    script: { source: 'export default function () {\n  const open = ;\n}\n' },
    as: 'a slip of syntax',
    ends: 107,
    decided: { code: 104, because: unreadable },
  },
  {
    script: { source: 'import _ from "lodash";\nexport default function () { _.noop(); }\n' },
    as: 'an npm import',
    ends: 107,
    decided: { code: 104, because: unreadable },
    tells: [/bundle lodash into the script/],
  },
  {
    script: { source: 'import sql from "k6/x/sql";\nexport default function () { sql.open(); }\n' },
    as: 'an extension',
    ends: 107,
    decided: { code: 104, because: unreadable },
    tells: [/Build a k6 with k6\/x\/sql/],
  },
  {
    script: { source: 'export const options = { vus: 1 };\n' },
    as: 'no function',
    ends: 255,
    decided: { code: 104, because: unreadable },
  },
];
