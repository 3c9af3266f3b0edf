import { describe, expect, test } from 'vitest';
import type { LoadOptions } from '../../src/profile/load.js';
import { templateWords } from '../../src/profile/words/template.js';
import { complaint, least, load } from './profile-files.js';

/** What stands on standard error for a profile: its problems, frame by frame, without the margins that all have. */
function frames(text: string, options: Partial<LoadOptions> = {}): string[] {
  const error = complaint(() => load({ 'test.yaml': text }, options));
  expect(error.reason).toBe('invalid-profile');
  return error.lines.map((line) => line.replace('profiles/test.yaml:', ''));
}

/** Each problem as `line:column: message`. */
function messages(text: string, options: Partial<LoadOptions> = {}): string[] {
  return frames(text, options).filter((line) => /^(\d|-)/.test(line));
}

const db = 'stores: {db: {kind: postgres, url: postgres://h/d}, cache: {kind: redis, url: redis://h:1/0}}\n';
const users = 'users: {table: db.users, rows: 9, columns: {id: "user-{n}", tier: "{pick:a|b}", name: x}}';
const sets = (text: string) => `${db}seed: {${text}}\n`;
const cleans = (text: string) => `${db}cleanup: {prefix: load-test-, ${text}}\n`;
const both = (text: string) => `${db}seed: {${users}}\ncleanup: {${text}}\n`;
const broad = (word: string) =>
  `expected \`load-test-\` in the pattern: without it, it may fit what is not the test’s (\`everything: true\` beside \`${word}\` accepts that)`;

test('the key of a cache is shown beside what is wrong, and another key is not', () => {
  const shown = (text: string) => frames(text).filter((line) => line.includes('keys:') || line.includes('bypass'));
  expect(shown(cleans('keys: [{key: cache/jobs, member: "load-test-*"}]'))[0]).toContain('{key: cache/jobs, member: "load-test-*"}');
  expect(shown(cleans('keys: [{key: "cache/jobs"}]'))[0]).toContain('{key: "cache/jobs"}');
  expect(shown(`${least}users: {strategy: bypass: x, bypass: {key: aB/3dE9fGhI}}\n`).join()).not.toContain('aB/3dE9fGhI');
});

describe('a problem', () => {
  test('is shown with its line and a squiggle under the token', () => {
    const error = complaint(() => load({ 'test.yaml': `${least}  duration: 10 minutes\n  vus: 100\n` }));
    expect({ reason: error.reason, message: error.message, lines: error.lines }).toEqual({
      reason: 'invalid-profile',
      message: 'profiles/test.yaml has one problem',
      lines: [
        'profiles/test.yaml:4:13: expected a duration such as `1m30s`, not `10 minutes`',
        '  4 |   duration: 10 minutes',
        '    |             ~~~~~~~~~~',
      ],
    });
  });

  test('is one of all that there are, in the order of the file', () => {
    const error = complaint(() => load({ 'test.yaml': `${least}  duraton: 1m\n  vus: -1\nslaa: {}\n` }));
    expect(error.message).toBe('profiles/test.yaml has 3 problems');
    expect(error.lines).toEqual([
      'profiles/test.yaml:4:3: unknown key `duraton`; did you mean `duration`?',
      '  4 |   duraton: 1m',
      '    |   ~~~~~~~',
      '',
      'profiles/test.yaml:5:8: expected a whole number of at least 1 such as `1000`, not `-1`',
      '  5 |   vus: -1',
      '    |        ~~',
      '',
      'profiles/test.yaml:6:1: unknown key `slaa`; did you mean `sla`?',
      '  6 | slaa: {}',
      '    | ~~~~',
    ]);
  });

  test('points at the file that the value came from', () => {
    const base = 'workload:\n  script: k6.ts\n  pacing: 5%\n';
    const error = complaint(() => load({ 'base.yaml': base, 'test.yaml': 'extends: base.yaml\ntarget: {url: http://127.0.0.1:1}\n' }));
    expect(error.lines[0]).toBe('profiles/base.yaml:3:11: expected a duration such as `1m30s`, not `5%` (a percentage)');
  });

  test('points at the argument that the value came from', () => {
    const set = ['workload.vus=abc', 'workload.duration=1m', 'workload.pacin=1s', 'abort.3.for=1s', 'workload.script.x=1'];
    expect(frames(`${least}abort: []\n`, { set })).toEqual([
      '--set abort.3.for=1s: expected an index of the list, which is empty',
      '   | --set abort.3.for=1s',
      '   |             ~',
      '',
      '--set workload.script.x=1: `script` is a single value and has no `x`',
      '   | --set workload.script.x=1',
      '   |                       ~',
      '',
      '--set workload.vus=abc: expected a whole number of at least 1 such as `1000`, not `abc`',
      '   | --set workload.vus=abc',
      '   |                    ~~~',
      '',
      '--set workload.pacin=1s: unknown key `pacin`; did you mean `pacing`?',
      '   | --set workload.pacin=1s',
      '   |                ~~~~~',
    ]);
  });

  test('never shows a secret', () => {
    const text = `${least}stores:\n  db: {kind: postgres, url: "postgres://me:hunter2hunter2@/x", ulr: 1}\n`;
    const said = complaint(() => load({ 'test.yaml': text })).lines.join('\n');
    expect(said).not.toContain('hunter2');
    const set = ['users={strategy: bypass, key: topsecret, expires: never}'];
    expect(complaint(() => load({ 'test.yaml': least }, { set })).lines.join('\n')).not.toContain('topsecret');
  });
});

describe('YAML', () => {
  test.each([
    [
      'an unquoted >=',
      'sla:\n  availability: >= 99.9%\n',
      ['5:17: expected quotes: YAML reads a leading `>` as a block of text; write `">= 99.9%"`'],
    ],
    [
      'an unquoted > with a digit',
      'sla:\n  throughput: >5\n',
      ['5:15: expected quotes: YAML reads a leading `>` as a block of text; write `">5"`'],
    ],
    [
      'an unquoted > in braces',
      'sla: {throughput: > 5/s}\n',
      ['4:19: expected quotes: YAML reads a leading `>` as a block of text; write `"> 5/s"`'],
    ],
    [
      'an unquoted >= beside another problem',
      'sla:\n  availability: >= 99%\n  p95: 5%\n',
      [
        '5:17: expected quotes: YAML reads a leading `>` as a block of text; write `">= 99%"`',
        '6:8: expected a duration such as `< 500ms`, not `5%` (a percentage)',
      ],
    ],
    [
      'a variable in braces',
      'stores: {db: {kind: postgres, url: ${DB}}}\n',
      ['4:36: expected quotes around `${DB}` inside brackets or braces'],
    ],
    ['a key twice', 'target: {}\n', ['4:1: expected every key once; this one is here twice']],
    ['a tab', 'sla:\n\tp95: 1s\n', ['5:1: expected spaces; YAML is not indented with tabs']],
    ['a tab after a space', 'sla:\n  p95: 1s\n \terrors: 1%\n', ['6:2: expected spaces; YAML is not indented with tabs']],
    ['two documents', '---\na: 1\n', ['4:1: expected one document; a second one begins here, after `---`']],
    ['a colon in a value', 'environment: a: b\n', ['4:14: expected one `key: value` on a line; quote a value with a colon in it']],
    [
      'aliases of aliases that stand for millions of values',
      `x: &a0 [${Array(10).fill(1)}]\n${[1, 2, 3, 4, 5, 6, 7].map((n) => `x${n}: &a${n} [${Array(10).fill(`*a${n - 1}`)}]\n`).join('')}`,
      ['8:10: expected aliases that stand for less: those up to here make more than 20,000 values'],
    ],
    ['a lost alias', 'sla: *limits\n', ['4:6: expected an alias (`*name`) of an anchor (`&name`) further up']],
    [
      'a key too deep',
      'users:\n  from: u.id\n    strategy: pool\n',
      ['6:5: expected the indentation of the line above, which has its value already'],
    ],
    ['an open brace', 'runners: {count: 2\nsla: {}\n', ['4:10: expected a closing `}` for this']],
    ['wrong indentation', 'sla:\n   p95: 1s\n  errors: 1%\n', ['6:3: expected the indentation of the lines above']],
  ])('%s', (_, text, expected) => {
    expect(messages(least + text)).toEqual(expected);
  });

  test.each([
    ['a list', '- a\n', ['1:1: expected a profile: keys such as `target:` and `workload:`']],
    [
      'nothing',
      '# nothing\n',
      ['1:1: missing `workload`', '1:1: a profile without a target: expected `target.url`, or `target.colours` with `live`'],
    ],
  ])('%s', (_, text, expected) => {
    expect(messages(text)).toEqual(expected);
  });
});

describe('a word', () => {
  test.each([
    ['in the wrong unit', '  pacing: 5%\n', ['4:11: expected a duration such as `1m30s`, not `5%` (a percentage)']],
    ['without a unit', '  pacing: 5\n', ['4:11: expected a duration such as `1m30s`, not `5` (a bare number)']],
    ['that is a rate', '  mix: {a: 10/s}\n', ['4:12: expected a percentage such as `40%`, not `10/s` (a rate)']],
    ['that is a map', '  pacing: {a: 1}\n', ['4:11: expected a duration such as `1m30s`, not a map']],
    ['above 100%', '  mix: {a: 140%}\n', ['4:12: expected a percentage such as `40%`, not `140%` (a percentage)']],
    [
      'of a fixed few',
      'runners: {backend: locl}\n',
      ['4:20: expected `local`, `ssh`, `kubernetes` or `cloud`, not `locl`; did you mean `local`?'],
    ],
    ['of a kind', 'stores: {db: {kind: postgre}}\n', ['4:21: expected `postgres` or `redis`, not `postgre`; did you mean `postgres`?']],
    ['that is missing', 'users: {strategy: pool}\n', ['4:1: missing `from` in `users`, such as `from: users.id`']],
    ['of a kind that is missing', 'stores: {db: {url: postgres://h}}\n', ['4:10: missing `kind` in `stores.db`: `postgres` or `redis`']],
    [
      'that nobody knows',
      'runners: {zzz: 1}\n',
      [
        '4:11: unknown key `zzz`; `runners` has `backend`, `count`, `onLost`, `allowedLoss`, `k6`, `readyTimeout`, `hosts`, `sshConfig`, `hostK6`, `keep`, `kubernetes` and `cloud`',
      ],
    ],
    [
      'of a password that is not escaped',
      'stores: {d: {kind: postgres, url: "postgres://me:p@ss/word@h/x"}}\n',
      ['4:35: expected `@` as `%40` and `/` as `%2F` in user and password'],
    ],
    ['of a URL', 'stores: {c: {kind: redis, url: http://h}}\n', ['4:32: expected a URL such as `redis://cache.example.com:6379/0`']],
    ['of a name', 'environment: My Env\n', ['4:14: expected a name of small letters, digits and `-`, not `My Env`']],
    ['of yes or no', 'guards: {confirm: maybe}\n', ['4:19: expected `true` or `false`, not `maybe`']],
    ['of a level', 'guards: prod\n', ['4:9: expected `production`, not `prod`']],
    ['without a value', 'abort: [{when: errors > 5%, for: }]\n', ['4:34: expected a duration such as `1m30s`, not `null`']],
  ])('%s', (_, text, expected) => {
    expect(messages(least + text)).toEqual(expected);
  });

  test('that a variable made wrong is told by where it came from', () => {
    expect(messages(`${least}  vus: \${VUS}\n  duration: 1m\n`, { env: { VUS: 'many' } })).toEqual([
      '4:8: expected a whole number of at least 1 such as `1000` (`${VUS}` comes from the environment)',
    ]);
  });
});

describe('a variable', () => {
  test('that is missing is a problem at its line', () => {
    expect(frames(`${least}stores:\n  db: {kind: postgres, url: "postgres://me:\${PW}@h/x"}\n`)).toEqual([
      '5:44: `${PW}` is not set',
      '  5 |   db: {kind: postgres, url: "postgres://me:${PW}@h/x"}',
      '    |                                            ~~~~~',
    ]);
  });

  test('that is missing where a plan needs it is a problem even without secrets', () => {
    expect(messages(`${least}  vus: \${VUS}\n  duration: 1m\n`, { secrets: 'optional' })).toEqual(['4:8: `${VUS}` is not set']);
  });

  test('must be written as one', () => {
    expect(messages(`${least}workload_: \${1A}\n`.replace('workload_', 'environment'))).toContain(
      '4:14: expected `${NAME}` or `${NAME:-default}`; `$${` is a literal `${`',
    );
  });
});

describe('words that do not go together', () => {
  const redis = (words: string) => `stores: {c: {kind: redis, ${words}}}\n`;
  const iam = (words: string) => `stores: {db: {kind: postgres, ${words}, auth: {iam: {region: eu-central-1, user: bob}}}}\n`;
  test.each([
    [
      'rate and pacing',
      '  vus: 5\n  duration: 1m\n  rate: 1/s\n  pacing: 1s\n',
      ['6:3: `rate` (open model) and `pacing` (closed model) exclude each other; `pacing: null` removes an inherited one'],
    ],
    [
      'variables that are loadctl’s',
      '  env: {BASE_URL: http://elsewhere, LOADCTL_VIRTUAL_USER_PREFIX: mine, LOADCTL_PACING_MS: 5}\n',
      [
        '4:9: `BASE_URL` is loadctl’s to set: set `target.url`, where guards see it (for one run: `--set target.url=…`)',
        '4:37: `LOADCTL_VIRTUAL_USER_PREFIX` is loadctl’s to set: cleanup finds what the test wrote by it; `cleanup.prefix` says how it begins',
      ],
    ],
    ['vus alone', '  vus: 5\n', ['4:3: `vus` needs `duration`: how long the load lasts']],
    ['duration alone', '  duration: 1m\n', ['4:3: `duration` needs `vus`: how many virtual users there are']],
    ['a misspelled duration', '  vus: 5\n  duratoin: 1m\n', ['5:3: unknown key `duratoin`; did you mean `duration`?']],
    ['a ramp that takes all', '  vus: 5\n  duration: 1m\n  ramp: 30s\n', ['6:9: expected a shorter ramp: up and down take 1m of 1m']],
    ['a window outside', '  vus: 5\n  duration: 1m\n  steady: 10s..2m\n', ['6:11: expected a part of the test, which ends at 1m']],
    ['a window backwards', '  steady: 2m..10s\n', ['4:11: expected a part that ends after it begins such as `30s..9m30s`']],
    ['a mix that is not a whole', '  mix: {a: 40%, b: 50.5%}\n', ['4:3: `mix` adds up to 90.5%, not 100%']],
    [
      'a mix of unknown endpoints',
      '  endpoints: {events: GET /events, queue: GET /queue}\n  mix: {evnets: 100%}\n',
      ['5:9: `evnets` is not in `workload.endpoints`, which has `events` and `queue`; did you mean `events`?'],
    ],
    [
      'a session without steps',
      '  steps: {browse: [GET /]}\n  sessions: {pay: 100%}\n',
      ['5:14: `pay` is not in `workload.steps`, which has `browse`'],
    ],
    ['reads without a mix', '  steps: {browse: [read]}\n', ['4:20: `read` draws from `workload.mix`, which is empty']],
    [
      'a misspelled step',
      '  mix: {a: 100%}\n  steps: {browse: [raed]}\n',
      ['5:20: expected `read` or a request name such as `POST /reservations`, not `raed`; did you mean `read`?'],
    ],
    ['bypass without a key', 'users: {strategy: bypass}\n', ['4:1: missing `key` in `users`, such as `key: ${BYPASS_KEY}`']],
    [
      'a signature that ends too soon',
      '  vus: 1\n  duration: 3h\nusers: {strategy: bypass, key: k, expires: 2h}\n',
      ['6:44: expected a time longer than the test, which takes 3h'],
    ],
    [
      'more runners than users',
      '  vus: 2\n  duration: 1m\nrunners: {count: 3}\n',
      ['6:18: expected at most as many runners as virtual users, of which there are 2'],
    ],
    ['ssh without hosts', 'runners: {backend: ssh}\n', ['4:20: `ssh` needs `runners.hosts`: the machines that make the load']],
    ['no runner', 'runners: {count: 0}\n', ['4:18: expected a whole number of at least 1 such as `1000`, not `0`']],
    ['a store without a place', redis(''), ['4:10: expected `url`, or `cluster`']],
    ['two places', redis('url: redis://h, cluster: ["h:1"]'), ['4:43: `url` and `cluster` exclude each other; remove one (`url: null`)']],
    [
      'a test index of a cluster',
      redis('cluster: ["h:1"], testDatabase: 1'),
      ['4:45: a cluster has no `testDatabase`: its only index is 0; clean up by `keys` instead'],
    ],
    [
      'flush of index 0',
      redis('url: redis://h, testDatabase: 0'),
      ['4:57: expected an index other than 0, which is never flushed, such as `1`, not `0`'],
    ],
    ['an index that is none', redis('url: redis://h/one'), ['4:32: expected the URL to end in the number of an index such as `/0`']],
    [
      'a token over plain text',
      iam('url: "postgres://h/x", tls: {mode: prefer}'),
      ['4:60: `auth.iam` needs `tls: {mode: verify-full}`: `prefer` may send the token in plain text'],
    ],
    [
      'a token with the URL’s own weak mode',
      iam('url: "postgres://h/x?sslmode=allow"'),
      ['4:68: `auth.iam` needs `tls: {mode: verify-full}`: `allow` may send the token in plain text'],
    ],
    [
      'a token and a password, for two roles',
      iam('url: "postgres://ann:pw@h/x", tls: {mode: require}'),
      [
        '4:83: with `auth.iam` the password is a token: remove the one in the URL',
        '4:118: the URL logs in as another role than `bob`: remove the name from one of them',
      ],
    ],
    [
      'a certificate without its key',
      'stores: {db: {kind: postgres, url: "postgres://h/x", tls: {mode: require, certificate: c.pem}}}\n',
      ['4:54: `certificate` and `key` need each other'],
    ],
    [
      'shards without a rule',
      'stores: {db: {kind: postgres, shards: [postgres://h/0, postgres://h/1]}}\n',
      ['4:31: `shards` need `shardBy` such as `shardBy: id % 2`'],
    ],
    [
      'another modulus than shards',
      'stores: {db: {kind: postgres, shards: [postgres://h/0, postgres://h/1], shardBy: id % 4}}\n',
      ['4:82: expected the number of shards: `id % 2`'],
    ],
    [
      'a shard rule in other words',
      'stores: {db: {kind: postgres, shards: [postgres://h/0], shardBy: hash(id)}}\n',
      ['4:66: expected a column, hashed or not, and the number of shards such as `id % 4` or `crc32(id) % 4`, not `hash(id)`'],
    ],
    [
      'an unknown store',
      sets('t: {table: bd.t, rows: 1, columns: {id: 1}}'),
      ['5:19: unknown store `bd`; `stores` has `db` and `cache`; did you mean `db`?'],
    ],
    [
      'a store of the other kind',
      sets('t: {table: cache.t, rows: 1, columns: {id: 1}}'),
      ['5:19: expected a postgres store; `cache` is redis'],
    ],
    [
      'a table without its store',
      sets('t: {table: users, rows: 1, columns: {id: 1}}'),
      ['5:19: expected a store and a table such as `db.users` or `db.sales."Order.Items"`, not `users`'],
    ],
    [
      'a key without its store',
      sets('t: {key: "user:{n}", rows: 1, value: 1}'),
      ['5:17: expected a store and a key such as `cache/user:{n}`, not `user:{n}`'],
    ],
    [
      'a key of no set, or of no column',
      sets(`${users}, t: {key: "cache/{user.id}", rows: 1, value: 1}, u: {key: "cache/{users.uid}", rows: 1, value: 1}`),
      [
        '5:108: unknown set `user`; `seed` has `users`; did you mean `users`?',
        '5:156: `users` seeds no column `uid`; it seeds `id`, `tier` and `name`; did you mean `id`?',
      ],
    ],
    [
      'a key that another set makes',
      sets(`${users}, t: {key: "cache/{users.id}", rows: 9, value: 1}, u: {key: "cache/user-{n}", rows: 2, value: 2}`),
      ['5:157: expected keys of its own; the set `t` makes `user-1` too'],
    ],
    [
      'a brace that is never closed',
      sets('t: {table: db.t, rows: 1, columns: {id: "u{n"}}'),
      [`5:48: a \`{\` that is never closed: expected ${templateWords}`],
    ],
    [
      'numbers the wrong way round',
      sets('t: {table: db.t, rows: 1, columns: {id: "{int:5..1}"}}'),
      [`5:48: unknown template \`{int:5..1}\`: expected ${templateWords}; did you mean \`{int:1..5}\`?`],
    ],
    [
      'a choice of nothing',
      sets('t: {table: db.t, rows: 1, columns: {id: "{pick:}"}}'),
      [`5:48: unknown template \`{pick:}\`: expected ${templateWords}`],
    ],
    [
      'a row’s number as a variable',
      sets('t: {table: db.t, rows: 1, columns: {id: "u${n}"}}'),
      ['5:50: `${n}` is not set; did you mean `{n}`?'],
    ],
    [
      'words of other tools for those of a set',
      sets('t: {table: db.t, count: 1, cols: {id: "{n}"}}, u: {key: "cache/{n}", rows: 1, data: 1, expire: 1h}'),
      [
        '5:25: unknown key `count`; did you mean `rows`?',
        '5:35: unknown key `cols`; did you mean `columns`?',
        '5:86: unknown key `data`; did you mean `value`?',
        '5:95: unknown key `expire`; did you mean `ttl`?',
      ],
    ],
    ['neither table nor key', sets('t: {rows: 1, value: 1}'), ['5:8: missing `key` in `seed.t`, such as `key: cache/user:{users.id}`']],
    [
      'one entry for all',
      sets('t: {key: cache/user, rows: 9, value: 1}'),
      ['5:17: expected `{n}`, `{uuid}` or a column of a set in the key, or all 9 entries are one'],
    ],
    [
      'a key that does not tell its row',
      sets('t: {key: "cache/{n}{n}", rows: 9, value: 1}'),
      ['5:17: expected a key from which the row’s number can be read: one `{n}` beside plain text, or `{uuid}`'],
    ],
    [
      'a key by a set that has fewer rows',
      sets(`${users}, t: {key: "cache/{users.id}", rows: 10, value: 1}`),
      [
        '5:108: expected a key from which the row’s number can be read: one `{n}` beside plain text, or `{uuid}`; `users` has 9 rows, fewer than 10',
      ],
    ],
    ['no column', sets('t: {table: db.t, rows: 1, columns: {}}'), ['5:43: expected at least one column such as `id: "user-{n}"`']],
    [
      'no row',
      sets('t: {table: db.t, rows: 0, columns: {id: 1}}'),
      ['5:31: expected a whole number of at least 1 and at most 1000000000000 such as `1000`, not `0`'],
    ],
    [
      'a key that is no column',
      sets('t: {table: db.t, rows: 1, key: idd, columns: {id: "{n}"}}'),
      ['5:39: expected one of `columns`: `id`; did you mean `id`?'],
    ],
    [
      'a key that no second seed would find',
      sets('t: {table: db.t, rows: 1, key: at, columns: {id: "{n}", at: "{now}"}}'),
      ['5:68: expected neither `null` nor `{now}`: it identifies rows (`key`)'],
    ],
    [
      'a template that is none',
      sets('t: {table: db.t, rows: 1, columns: {id: "u{x}"}}'),
      [`5:48: unknown template \`{x}\`: expected ${templateWords}`],
    ],
    [
      'a template in capitals',
      sets('t: {table: db.t, rows: 1, columns: {id: "u{N}"}}'),
      [`5:48: unknown template \`{N}\`: expected ${templateWords}; did you mean \`{n}\`?`],
    ],
    [
      'a reference to no set',
      sets('t: {table: db.t, rows: 1, columns: {id: "{n}", of: "{tt.id}"}}'),
      ['5:59: unknown set `tt`; `seed` has `t`'],
    ],
    [
      'a reference to what every object has, which is no set',
      sets('t: {table: db.t, rows: 1, columns: {id: "{constructor.id}{n}", of: "{t.valueOf}"}}'),
      [
        '5:48: unknown set `constructor`; `seed` has `t`',
        '5:75: `t` seeds no column `valueOf`; it seeds `id` and `of`; a column that the database fills is reached by `via: t`',
      ],
    ],
    [
      'a key with such a reference',
      sets('t: {key: "cache/{toString.id}", rows: 1, value: x}'),
      ['5:17: unknown set `toString`; `seed` has no set of rows'],
    ],
    [
      'such names where cleanup and the pool name sets',
      `${both('rows: [{table: db.p, via: hasOwnProperty}, {table: db.p, column: c, in: toString.id}], keys: [{match: "cache/x:{valueOf.id}:*"}]')}users: {strategy: pool, from: toString.id}\n`,
      [
        '6:37: unknown set `hasOwnProperty`; `seed` has `users`',
        '6:83: unknown set `toString`; `seed` has `users`',
        '6:113: unknown set `valueOf`; `seed` has `users`',
        '7:31: unknown set `toString`; `seed` has `users`',
      ],
    ],
    [
      'a store with such a name',
      'stores: {}\nseed: {t: {table: constructor.t, rows: 1, columns: {id: "{n}"}}}\n',
      ['5:19: unknown store `constructor`; the profile has none'],
    ],
    [
      'a name that no map can have',
      sets('__proto__: {table: db.t, rows: 1, columns: {id: "{n}"}}, u: {table: db.u, rows: 1, columns: {id: "{n}", __proto__: x}}'),
      ['5:8: expected another name than `__proto__`', '5:112: expected another name than `__proto__`'],
    ],
    [
      'an entry that does not live',
      sets('t: {key: "cache/t:{n}", rows: 1, value: x, ttl: 0s}, u: {key: "cache/u:{n}", rows: 1, value: x, ttl: 500us}'),
      ['5:56: expected a duration of at least `1ms`', '5:109: expected a duration of at least `1ms`'],
    ],
    [
      'an element of a set that is there twice, as Redis stores it',
      sets('t: {key: "cache/t:{n}", rows: 1, value: [a, "{n}", a], as: set}, u: {key: "cache/u:{n}", rows: 1, value: [1, "1"], as: set}'),
      ['5:59: `a` is there twice; a set holds each element once', '5:117: `1` is there twice; a set holds each element once'],
    ],
    [
      'a reference to no column',
      sets('t: {table: db.t, rows: 1, columns: {id: "{n}"}}, u: {table: db.u, rows: 1, columns: {t: "{t.idd}"}}'),
      ['5:96: `t` seeds no column `idd`; it seeds `id`; did you mean `id`?'],
    ],
    [
      'a reference in a ring',
      sets('t: {table: db.t, rows: 1, columns: {a: "{t.b}", b: "{t.a}"}}'),
      ['5:47: `{t.b}` refers back to itself', '5:59: `{t.a}` refers back to itself'],
    ],
    [
      'a set with a name of templates',
      sets('n: {table: db.t, rows: 1, columns: {a: "{n}"}}'),
      ['5:8: expected another name: `{n}`, `{now}`, `{uuid}`, `{pick}`, `{int}` are templates'],
    ],
    [
      'a set with a name that is none',
      sets('"1x": {table: db.t, rows: 1, columns: {a: "{n}"}}'),
      ['5:8: expected a name of letters, digits, `-` and `_` that begins with a letter'],
    ],
    [
      'a short prefix',
      'cleanup: {prefix: load-}\n',
      ['4:19: expected a prefix of at least 8 characters such as `load-test-user-`, not `load-`'],
    ],
    [
      'a prefix with a wildcard',
      'cleanup: {prefix: load-test-%}\n',
      ['4:19: expected a prefix without wildcards (`%`, `_`, `*`, `?`, `[`, `]` and `\\` are some), not `load-test-%`'],
    ],
    ['keys of everybody', cleans('keys: [{match: "cache/sessions:*"}]'), [`5:46: ${broad('match')}`]],
    ['a prefix that is a set of characters', cleans('keys: [{match: "cache/[load-test-]*"}]'), [`5:46: ${broad('match')}`]],
    ['a prefix that is escaped', cleans("keys: [{match: 'cache/load\\-test-*'}]"), [`5:46: ${broad('match')}`]],
    [
      'a pattern without its store',
      cleans('keys: [{match: "user:load-test-*"}]'),
      ['5:46: expected a store and a key such as `cache/user:load-test-user-*`, not `user:load-test-*`'],
    ],
    [
      'a flush without a test index',
      cleans('keys: [{flush: cache}]'),
      ['5:46: `flush` needs `stores.cache.testDatabase`: the one index that may be flushed'],
    ],
    [
      'a flush of no store',
      cleans('keys: [{flush: cahe}]'),
      ['5:46: unknown store `cahe`; `stores` has `db` and `cache`; did you mean `cache`?'],
    ],
    [
      'a flush of a cluster',
      `${redis('cluster: ["h:1"]')}cleanup: {prefix: load-test-, keys: [{flush: c}]}\n`,
      ['5:46: a cluster is never flushed; write `match: "c/user:load-test-user-*"` instead'],
    ],
    [
      'members of nobody knows what',
      cleans('keys: [{members: "load-test-user-*"}]'),
      ['5:38: missing `key` in `cleanup.keys.0`, such as `key: cache/queue:waiting`'],
    ],
    [
      'a key without its members',
      cleans('keys: [{key: cache/q}]'),
      ['5:38: missing `members` in `cleanup.keys.0`, such as `members: load-test-user-*`'],
    ],
    [
      'a key beside a pattern',
      cleans('keys: [{key: cache/q, match: "cache/user:load-test-user-*"}]'),
      ['5:39: `key` does not go with `match`'],
    ],
    [
      'misspelled members',
      cleans('keys: [{key: cache/q, member: "load-test-user-*"}]'),
      ['5:53: unknown key `member`; did you mean `members`?'],
    ],
    [
      'members of every key',
      cleans('keys: [{key: "cache/*q", members: "load-test-user-*"}]'),
      ['5:44: expected a key or a pattern that does not begin with a wildcard, such as `queue:*`, not `cache/*q`'],
    ],
    [
      'a set where it names nothing',
      both(
        'keys: [{match: "cache/x:[{users.id}]*"}, {match: \'cache/x:\\{users.id}\'}, {key: cache/q, members: "[^{users.id}"}, {match: \'cache/[a]\\[b:{users.id}\'}]',
      ),
      [
        '6:26: expected `{users.id}` outside of `[…]` and not behind `\\`: there it would name nothing',
        '6:60: expected `{users.id}` outside of `[…]` and not behind `\\`: there it would name nothing',
        '6:108: expected `{users.id}` outside of `[…]` and not behind `\\`: there it would name nothing',
      ],
    ],
    ['members of everybody', cleans('keys: [{key: cache/q, members: "user-*"}]'), [`5:62: ${broad('members')}`]],
    [
      'a template where none is filled in',
      cleans('keys: [{key: "cache/q:{users.id}", members: "load-test-user-*"}]'),
      ['5:44: `{users.id}` is a template, and none is filled in here; `{{` is a literal brace'],
    ],
    [
      'a misspelled way to store',
      sets('t: {key: cache/k, rows: 1, value: x, as: hsh}'),
      ['5:49: expected `text`, `json`, `hash`, `list`, `set` or `zset`, not `hsh`; did you mean `hash`?'],
    ],
    [
      'a hash that is none',
      sets('t: {key: cache/k, rows: 1, value: x, as: hash}'),
      ['5:42: expected a map with the fields of the hash such as `{name: "Test User {n}"}`'],
    ],
    [
      'a list that is none',
      sets('t: {key: cache/k, rows: 1, value: x, as: list}'),
      ['5:42: expected a list of what the list holds such as `["{users.id}"]`'],
    ],
    [
      'a member that is no template',
      sets('t: {key: "cache/k{n}", rows: 2, value: {"{m}": 1}, as: zset}'),
      [`5:47: unknown template \`{m}\`: expected ${templateWords}`],
    ],
    [
      'a template in the key of a map',
      sets(
        't: {key: "cache/k{n}", rows: 2, value: {"u{n}": 1}, as: hash}, u: {key: "cache/u{n}", rows: 2, value: [{a: {"{t.id}": 1, "{x}": 2}}]}, v: {table: db.v, rows: 1, columns: {id: "v{n}", facts: {"{uuid}": 1}}}',
      ),
      [
        '5:48: `{n}` is a template, and none is filled in the keys of a map: they are stored as they are written',
        '5:116: `{t.id}` is a template, and none is filled in the keys of a map: they are stored as they are written',
        '5:199: `{uuid}` is a template, and none is filled in the keys of a map: they are stored as they are written',
      ],
    ],
    [
      'a member of today',
      sets('t: {key: "cache/k{n}", rows: 2, value: {"m{now}": 1}, as: zset}'),
      ['5:47: expected no `{now}` in a zset, which is compared as it is'],
    ],
    [
      'a field that is nothing',
      sets('t: {key: cache/k, rows: 1, value: {a: null, b: 1}, as: hash}'),
      ['5:46: a field of a hash is always a text; leave out what is `null`'],
    ],
    [
      'a text that is none',
      sets('t: {key: cache/k, rows: 1, value: {a: 1}, as: text}'),
      ['5:42: expected a text for `as: text`; anything else can be stored `as: json`'],
    ],
    [
      'a child before its parent',
      cleans('rows: [{table: db.p, via: db.r}, {table: db.r, column: c}]'),
      ['5:57: expected `db.r` to be listed further up, before what refers to it'],
    ],
    [
      'a child of nobody',
      cleans('rows: [{table: db.orders, column: c}, {table: db.p, via: db.order}]'),
      ['5:88: expected a table that is listed further up (`db.orders` is) or a set, not `db.order`; did you mean `db.orders`?'],
    ],
    [
      'a child of a table without its store',
      cleans('rows: [{table: db.orders, column: c}, {table: db.p, via: orders}]'),
      ['5:88: expected a store and a table: `via: db.orders`'],
    ],
    [
      'a child of no set',
      both('rows: [{table: db.p, via: user}]'),
      ['6:37: unknown set `user`; `seed` has `users`; did you mean `users`?'],
    ],
    [
      'rows of no set',
      both('rows: [{table: db.p, column: c, in: user.id}]'),
      ['6:47: unknown set `user`; `seed` has `users`; did you mean `users`?'],
    ],
    [
      'rows of a column that is misspelled',
      both('rows: [{table: db.p, column: c, in: users.uid}]'),
      ['6:47: `users` seeds no column `uid`; it seeds `id`, `tier` and `name`; did you mean `id`?'],
    ],
    [
      'rows of a column that the database fills',
      both('rows: [{table: db.p, column: c, in: users.created}]'),
      [
        '6:47: `users` seeds no column `created`; it seeds `id`, `tier` and `name`; a column that the database fills is reached by `via: users`',
      ],
    ],
    [
      'rows of a column that tells no row',
      both('rows: [{table: db.p, column: c, in: users.tier}]'),
      ['6:47: expected a column that identifies its row, by `{n}` or `{uuid}`; `users.tier` does not'],
    ],
    [
      'a set in braces',
      both('rows: [{table: db.p, column: c, in: "{users.id}"}]'),
      ['6:47: no template is filled in here: a set and its column such as `users.id`; did you mean `users.id`?'],
    ],
    [
      'a column in braces',
      both('rows: [{table: db.p, column: "{users.id}"}]'),
      ['6:40: a column’s name takes no template; did you mean `in: users.id`?'],
    ],
    [
      'a namespace that is a set',
      both('rows: [{table: db.p, column: c, uuid: users}]'),
      ['6:49: `uuid: users` is for UUIDs that the script makes; rows of the set `users` are found by `in: users.id`'],
    ],
    [
      'a pattern by what tells no row',
      both('keys: [{match: "cache/x:{users.tier}:*"}]'),
      ['6:26: expected a column that identifies its row, by `{n}` or `{uuid}`; `users.tier` does not'],
    ],
    [
      'a pool of what tells no user',
      `${db}seed: {${users}}\nusers: {strategy: pool, from: users.tier}\n`,
      ['6:31: expected a column that identifies its row, by `{n}` or `{uuid}`; `users.tier` does not'],
    ],
    [
      'a password twice',
      'stores: {db: {kind: postgres, url: "postgres://u:p@127.0.0.1/x", password: q}}\n',
      ['4:66: the URL also has a password: remove one of them'],
    ],
    [
      'production without abort',
      'guards: production\n',
      ['4:1: `guards: production` needs an `abort` rule such as `{when: errors > 5%, for: 30s, after: 1m}`'],
    ],
    ['a loss that is not allowed', 'runners: {allowedLoss: 5%}\n', ['4:11: `allowedLoss` needs `onLost: continue`']],
  ])('%s', (_, text, expected) => {
    expect(messages(least + text)).toEqual(expected);
  });

  test.each([
    [
      'two targets',
      'url: http://h, colours: {blue: http://b, green: http://g}, live: {command: c}',
      ['1:25: `url` and `colours` exclude each other; remove one (`url: null`)'],
    ],
    [
      'colours without a way to tell',
      'colours: {blue: http://b, green: http://g}',
      ['1:10: `colours` need `live`: how to find out which of them is live'],
    ],
    ['a way to tell without colours', 'url: http://h, live: {command: c}', ['1:25: `live` needs `colours`']],
    [
      'a look-up that says nothing',
      'colours: {blue: http://b, green: http://g}, live: {url: http://l}',
      ['1:61: expected `jsonPath` or `header` beside `url`: where the answer names the colour'],
    ],
    [
      'no way to look up',
      'colours: {blue: http://b, green: http://g}, live: {jsonPath: $.a}',
      ['1:54: expected `url` or `command` in `target.live`'],
    ],
    [
      'a way into JSON that is more than one place',
      'colours: {blue: http://b, green: http://g}, live: {url: http://l, jsonPath: "$.*.live"}',
      ['1:86: expected a path to one value such as `$.live`, `$.colours[0]` or `$["live-colour"]`, not `$.*.live`'],
    ],
    [
      'a header that is none',
      'colours: {blue: http://b, green: http://g}, live: {url: http://l, header: "live colour"}',
      ['1:84: expected a header’s name such as `x-live-colour`, not `live colour`'],
    ],
    [
      'a look at the live colour once an hour',
      'colours: {blue: http://b, green: http://g}, live: {command: c, every: 1h}',
      ['1:80: expected a time from `100ms` to `10s`: a switch must not go unseen for longer'],
    ],
    [
      'two colours that are one',
      'colours: {blue: http://h/x, green: http://h/x/}, live: {command: c}',
      ['1:45: expected another address than that of `blue`: one of the two is live'],
    ],
    ['no target', 'health: /healthz', ['1:1: a profile without a target: expected `target.url`, or `target.colours` with `live`']],
  ])('%s', (_, words, expected) => {
    expect(messages(`target: {${words}}\nworkload: {script: k6.ts}\n`)).toEqual(expected);
  });
});

describe('a limit', () => {
  test.each([
    ['of an unknown word', 'sla: {throughputt: 5/s}\n', ['4:7: `throughputt` is not a word of the SLA; did you mean `throughput`?']],
    ['in the wrong unit', 'sla: {errors: 500ms}\n', ['4:15: expected a percentage such as `< 0.1%`, not `500ms` (a duration)']],
    ['above all', 'sla: {availability: 99.9}\n', ['4:21: expected a percentage such as `99.9%` or `0.999`, not `99.9` (a bare number)']],
    ['of no stat', 'sla: {http_req_duration: < 5ms}\n', ['4:26: expected a threshold such as `p(95) < 500ms` or `rate < 1%`, not `< 5ms`']],
    [
      'of an impossible percentile',
      'sla: {http_req_duration: "p(101)<5"}\n',
      ['4:26: "p(101)" is not a percentile: write p(N) with N from 0 to 100; expected a threshold such as `p(95) < 500ms` or `rate < 1%`'],
    ],
    ['of a broken metric', 'sla: {"http_reqs{a": "rate>5"}\n', ['4:7: expected a metric of k6; one of the braces { and } is missing']],
    [
      'of a server without a unit',
      'critical: {cpu: 80}\n',
      ['4:17: expected a percentage such as `80%` or `0.8`, not `80` (a bare number)'],
    ],
    [
      'of an abort rule, misspelled',
      'abort: [{when: errrors > 5%}]\n',
      [
        '4:16: unknown metric `errrors`; expected a word of the SLA, or `cpu`, `memory`, `dbConnections` or `queueDepth`; did you mean `errors`?',
      ],
    ],
    [
      'of an abort rule, without an operator',
      'abort: [{when: errors}]\n',
      ['4:16: expected a condition such as `errors > 5%` or `p95 cpu > 90%`, not `errors`'],
    ],
  ])('%s', (_, text, expected) => {
    expect(messages(least + text)).toEqual(expected);
  });
});

describe('a file', () => {
  test.each([
    [
      'a script that is not there',
      { 'test.yaml': least.replace('k6.ts', 'k66.ts') },
      '3:11: script profiles/k66.ts does not exist; did you mean `k6.ts`?',
    ],
    [
      'a base that is not there',
      { 'test.yaml': 'extends: bsae.yaml\n', 'base.yaml': least },
      '1:10: profiles/bsae.yaml does not exist; did you mean `base.yaml`?',
    ],
    [
      'a circle',
      { 'test.yaml': 'extends: a.yaml\n', 'a.yaml': 'extends: test.yaml\n' },
      'profiles/a.yaml:1:10: expected a profile that does not extend this one: test.yaml → a.yaml → test.yaml',
    ],
    ['two bases', { 'test.yaml': 'extends: [a, b]\n' }, '1:10: expected the path of one profile such as `base.yaml`'],
  ])('%s', (_, texts, expected) => {
    const [first] = complaint(() => load(texts)).lines;
    expect(first?.replace('profiles/test.yaml:', '')).toBe(expected);
  });
});

test('a list may hold an element twice', () => {
  const list = `${least}${db}seed: {t: {key: "cache/t:{n}", rows: 1, value: [a, a], as: list, ttl: 1ms}}\n`;
  expect(load({ 'test.yaml': list }).profile.seed).toMatchObject({ t: { value: ['a', 'a'], ttl: 1 } });
});

test('a set may have the name of what every object has', () => {
  const profile = load({
    'test.yaml': `${least}stores: {db: {kind: postgres, url: "postgres://u@127.0.0.1/x"}}
seed: {constructor: {table: db.t, rows: 2, columns: {valueOf: "{n}"}}, toString: {table: db.u, rows: 2, columns: {id: "{constructor.valueOf}"}}}\n`,
  });
  expect(Object.keys(profile.profile.seed)).toEqual(['constructor', 'toString']);
});

test('a seeded number that would be another one once it is read wants quotes', () => {
  const seeded = (columns: string) => `${least}stores: {db: {kind: postgres, url: "postgres://u@127.0.0.1/x"}}
seed: {t: {table: db.t, rows: 1, columns: {${columns}}}}\n`;
  expect(messages(seeded('id: 9007199254740993, n: 12345678901234.12345, zip: 01234'))).toEqual([
    '5:48: expected quotes: as a number this becomes 9007199254740992; write `"9007199254740993"`',
    '5:69: expected quotes: as a number this becomes 12345678901234.123; write `"12345678901234.12345"`',
    '5:96: expected quotes: as a number this becomes 1234; write `"01234"`',
  ]);
  expect(load({ 'test.yaml': seeded('a: 1.10, b: -0.5, c: 1e3, d: 0x1f, e: 9007199254740992, f: 0.0000001, g: +7') })).toBeDefined();
});

test.each([
  ['workload: {script: k6.ts, options: {tags: {version: 1.10}}}', '2:53: expected quotes: k6 takes only texts there; write `"1.10"`'],
  ['workload: {script: k6.ts, options: {tags: {version: 2}}}', '2:53: expected quotes: k6 takes only texts there; write `"2"`'],
  ['workload: {script: k6.ts, options: {userAgent: 1.0}}', '2:48: expected quotes: as a number this becomes 1; write `"1.0"`'],
  ['workload: {script: k6.ts, options: {rps: 20, batch: 1.5, x: 1e3}}', undefined],
  [
    'workload: {script: k6.ts}\nenvironment: 2024',
    '3:14: expected a name of small letters, digits and `-`, not `2024` (a bare number); write `"2024"`',
  ],
  ['workload: {script: k6.ts, env: {version: 1.10}}', undefined],
  [
    'workload: {script: k6.ts}\nstores: {c: {kind: redis, url: redis://h}}\nseed: {k: {key: "c/k{n}", rows: 1, value: 1.10}}',
    '4:43: expected quotes: as a number this becomes 1.1; write `"1.10"`',
  ],
  [
    'workload: {script: k6.ts}\nstores: {c: {kind: redis, url: redis://h}}\nseed: {k: {key: "c/k{n}", rows: 1, value: {version: 1.10}}}',
    '4:53: expected quotes: as a number this becomes 1.1; write `"1.10"`',
  ],
])('a number that is meant as a text wants quotes: %s', (more, expected) => {
  const text = `target: {url: http://127.0.0.1:8080}\n${more}\n`;
  if (expected === undefined) expect(load({ 'test.yaml': text })).toBeDefined();
  else expect(messages(text)).toEqual([expected]);
});

test.each([
  ['vus: 10', 'unknown key `vus`; did you mean `workload.vus`?'],
  ['url: http://h', 'unknown key `url`; did you mean `target.url`?'],
  ['thresholds: {}', 'unknown key `thresholds`; did you mean `sla`?'],
  ['stages: []', 'unknown key `stages`; did you mean `workload.options.stages`?'],
  ['concurrency: 3', 'unknown key `concurrency`; did you mean `workload.vus`?'],
  ['runner: {}', 'unknown key `runner`; did you mean `runners`?'],
  ['frobnicate: 1', 'unknown key `frobnicate`; a profile has `environment`,'],
])('a key at the wrong place: %s', (more, expected) => {
  expect(messages(`${least}${more}\n`).join('\n')).toContain(expected);
});

test.each(['rps: 20', 'tags: {a: b}', 'stages: []'])('an option of k6 among the words of the workload: %s', (more) => {
  const name = more.slice(0, more.indexOf(':'));
  expect(messages(`${least}  ${more}\n`)).toEqual([`4:3: unknown key \`${name}\`; did you mean \`workload.options.${name}\`?`]);
});

test.each([
  ['p#ss', '`#` as `%23`'],
  ['p/ss', '`/` as `%2F`'],
  ['p?ss', '`?` as `%3F`'],
  ['p@ss/w', '`@` as `%40` and `/` as `%2F`'],
  ['p%ss', '`%` as `%25`'],
  ['12#34', '`#` as `%23`'],
])('a password that is not escaped: %s', (password, expected) => {
  for (const [key, url] of [
    ['target', `http://me:${password}@h:80/x`],
    ['stores: {db: {kind: postgres, url', `postgres://me:${password}@h:5432/x`],
  ] as const) {
    const line = key === 'target' ? `target: {url: "${url}"}\nworkload: {script: k6.ts}\n` : `${least}${key}: "${url}"}}\n`;
    const error = complaint(() => load({ 'test.yaml': line }));
    expect(error.lines[0]).toMatch(new RegExp(`: expected ${expected.replaceAll('?', '\\?')} in user and password$`));
    expect(error.lines.join('\n')).not.toContain(password);
  }
});

test('an `@` in a path and a login that is escaped are fine', () => {
  for (const url of ['http://h/@scope/x?of=a@b', 'http://h:80/@scope', 'http://me:p%40ss@h', 'http://me:p:ss@h'])
    expect(load({ 'test.yaml': `target: {url: "${url}"}\nworkload: {script: k6.ts}\n` }).profile.target.url).toBe(url);
});

test.each([
  ['sla: {errors: 1}', '4:15: expected a percentage such as `1%` or `0.01`, not `1` (a bare number)'],
  ['sla: {errors: < 1}', '4:15: expected a percentage such as `< 1%` or `< 0.01`, not `< 1`'],
  ['sla: {errors: "<= 1.0"}', '4:15: expected a percentage such as `<= 1%` or `<= 0.01`, not `<= 1.0`'],
  ['sla: {errors: 5}', '4:15: expected a percentage such as `5%` or `0.05`, not `5` (a bare number)'],
  ['sla: {errors: 150%}', '4:15: expected a percentage of at most 100%, not `150%` (a percentage)'],
  ['sla: {availability: 101%}', '4:21: expected a percentage of at most 100%, not `101%` (a percentage)'],
  ['sla: {availability: 1}', '4:21: expected a percentage such as `100%`, not `1` (a bare number)'],
  ['sla: {availability: 99.9}', '4:21: expected a percentage such as `99.9%` or `0.999`, not `99.9` (a bare number)'],
  ['sla: {http_req_failed: "rate<1"}', '4:24: expected a percentage such as `rate < 1%` or `rate < 0.01`, not `rate<1`'],
  ['sla: {checks: "rate>99"}', '4:15: expected a percentage such as `rate > 99%` or `rate > 0.99`, not `rate>99`'],
  ['critical: {cpu: 80}', '4:17: expected a percentage such as `80%` or `0.8`, not `80` (a bare number)'],
  ['abort: [{when: errors > 5}]', '4:16: expected a percentage such as `> 5%` or `> 0.05`, not `errors > 5`'],
  ['sla: {errors: 0}', '4:15: expected a percentage such as `<= 0%`: nothing is below 0%, not `0` (a bare number)'],
  ['sla: {errors: < 0%}', '4:15: expected a percentage such as `<= 0%`: nothing is below 0%, not `< 0%`'],
  ['sla: {availability: "> 100%"}', '4:21: expected a percentage such as `>= 100%`: nothing is above 100%, not `> 100%`'],
  ['sla: {availability: 0%}', '4:21: expected a limit that can be broken: every percentage is >= 0%, not `0%` (a percentage)'],
  ['sla: {errors: <= 0%, availability: ">= 100%"}', undefined],
  ['critical: {cpu: < 0%}', '4:17: expected a percentage such as `<= 0%`: nothing is below 0%, not `< 0%`'],
  ['critical: {cpu: <= 100%, memory: <= 100%}', undefined],
  ['abort: [{when: errors > 0%}]', undefined],
  ['sla: {errors: 0.01, availability: 100%, checks: ["rate==1", "rate>=1"], errs_left: "rate<1"}', undefined],
])('a share is a part of a whole: %s', (more, expected) => {
  if (expected === undefined) expect(load({ 'test.yaml': `${least}${more}\n` })).toBeDefined();
  else expect(messages(`${least}${more}\n`)).toEqual([expected]);
});

test.each([
  ['workload: {<<: 1, script: k6.ts}', '2:16: expected a map to merge such as `<<: *name`, or a list of them'],
  ['workload: {<<: [{vus: 1, duration: 1s}, x], script: k6.ts}', '2:41: expected a map to merge such as `<<: *name`, or a list of them'],
])('what cannot be merged: %s', (more, expected) => {
  expect(messages(`target: {url: http://127.0.0.1:8080}\n${more}\n`)).toEqual([expected]);
});

test.each([
  'u:topsecretpw@127.0.0.1:1/x',
  'postgres:/u:topsecretpw@h/x',
  'host=h password=topsecretpw user=u',
  "host=h password = 'topsecretpw'",
])('a password in what is no URL is not shown: %s', (url) => {
  const text = `${least}stores: {db: {kind: postgres, url: "${url}"}}\n`;
  expect(frames(text).join('\n')).not.toContain('topsecretpw');
  expect(frames(text).join('\n')).toContain('[redacted]');
});

test('a host of the guards is a host, and nothing more', () => {
  const allowing = (...hosts: string[]) => `${least}guards: {allow: ${JSON.stringify(hosts)}}\n`;
  for (const wrong of ['http://db.example.com', 'db.example.com:5432', '*', 'a/b'])
    expect(messages(allowing(wrong)).join(), wrong).toMatch(
      /expected a host by its name or address, or `\*\.example\.com`: without scheme, port and path/,
    );
  expect(load({ 'test.yaml': allowing('db.example.com', '*.example.com', 'db', '10.0.0.1', '::1', 'fe80::1', 'host_1.x.') })).toBeDefined();
});
