import { describe, expect, test } from 'vitest';
import type { ProfileSource } from '../../src/profile/load.js';
import { inOrder } from '../../src/profile/templates/sets.js';
import { complaint, least, load } from './profile-files.js';

describe('a small profile', () => {
  test('is complete after defaults', () => {
    const { profile, shown, redacted, portable, openWords: _, ...rest } = load({ 'test.yaml': least });
    expect(shown).toEqual(profile);
    expect(portable).toEqual(redacted);
    expect({ profile, redacted, ...rest }).toEqual({
      profile: {
        environment: 'test',
        target: { url: 'http://127.0.0.1:8080' },
        workload: { script: '/w/profiles/k6.ts', endpoints: {}, mix: {}, sessions: {}, steps: {}, env: {}, options: {}, outputs: [] },
        stores: {},
        seed: {},
        runners: { backend: 'local', count: 1, onLost: 'abort', readyTimeout: 60_000 },
        sla: [],
        critical: [],
        abort: [],
        monitors: {},
        outputs: {},
        guards: { allow: [], sharedStores: [], receipt: 'count' },
      },
      file: '/w/profiles/test.yaml',
      files: ['/w/profiles/test.yaml'],
      overrides: [],
      variables: [],
      variableValues: {},
      secrets: [],
      scriptVariables: {},
      scriptOnly: [],
      monitorsAt: {},
      limits: [],
      redacted: {
        environment: 'test',
        target: { url: 'http://127.0.0.1:8080' },
        workload: { script: 'k6.ts', endpoints: {}, mix: {}, sessions: {}, steps: {}, env: {}, options: {}, outputs: [] },
        stores: {},
        seed: {},
        runners: { backend: 'local', count: 1, onLost: 'abort', readyTimeout: '60s' },
        sla: {},
        critical: {},
        abort: [],
        monitors: {},
        outputs: {},
        guards: { allow: [], sharedStores: [], receipt: 'count' },
      },
    });
  });

  test('may be any file', () => {
    const loaded = load(
      {},
      { source: { file: 'load/My.yaml' }, elsewhere: { '/w/load/My.yaml': least.replace('k6.ts', '../profiles/k6.ts') } },
    );
    expect([loaded.file, loaded.profile.environment, loaded.profile.workload.script]).toEqual([
      '/w/load/My.yaml',
      'my',
      '/w/profiles/k6.ts',
    ]);
  });
});

describe('extends', () => {
  test('merges maps, replaces lists, and null takes out, through a chain of folders', () => {
    const loaded = load(
      {
        'test.yaml': 'extends: ../shared/mid.yaml\nworkload: {vus: 20, mix: {b: null, c: 100%}, pacing: null}\nusers: null\n',
      },
      {
        elsewhere: {
          '/w/shared/mid.yaml': 'extends: ../root.yaml\nrunners: {hosts: [c]}\nworkload: {duration: 2m}\n',
          '/w/root.yaml':
            'target: {url: http://h}\nworkload: {script: s.js, vus: 10, pacing: 1s, mix: {b: 100%}}\nusers: {strategy: pool, from: u.id}\nrunners: {hosts: [a, b]}\n',
          '/w/s.js': '',
        },
      },
    );
    expect(loaded.files).toEqual(['/w/profiles/test.yaml', '/w/shared/mid.yaml', '/w/root.yaml']);
    expect(loaded.profile.workload).toEqual({
      script: '/w/s.js',
      vus: 20,
      duration: 120_000,
      mix: { c: 1 },
      endpoints: {},
      sessions: {},
      steps: {},
      env: {},
      options: {},
      outputs: [],
    });
    expect(loaded.profile.users).toBeUndefined();
    expect(loaded.profile.runners.hosts).toEqual(['c']);
  });

  test('sets go in after those that they refer to, else as they are written, those of the base first; null removes one', () => {
    const set = (name: string, id: string) => `  ${name}: {table: db.${name}, rows: 2, columns: {id: "${id}"}}\n`;
    const { profile } = load(
      { 'test.yaml': `extends: ../base.yaml\nseed:\n  gone: null\n${set('carts', '{users.id}')}${set('early', 'e{n}')}` },
      {
        elsewhere: {
          '/w/base.yaml': `target: {url: http://h}\nworkload: {script: s.js}\nstores: {db: {kind: postgres, url: postgres://h/d}}\nseed:\n${set('orders', '{carts.id}-{n}')}${set('gone', 'g{n}')}${set('users', 'u{n}')}`,
          '/w/s.js': '',
        },
      },
    );
    expect(inOrder(profile.seed).map(({ name }) => name)).toEqual(['users', 'carts', 'orders', 'early']);
  });

  test('leaves null alone inside a list', () => {
    const text = `${least}stores: {db: {kind: postgres, url: postgres://h/d}}\nseed: {t: {table: db.t, rows: 1, columns: {gone: null}}}\n`;
    expect(load({ 'test.yaml': text }).profile.seed).toEqual({ t: { store: 'db', table: 't', rows: 1, columns: { gone: null } } });
  });

  test('merges several maps, of which the first goes before the others and the map itself before all', () => {
    const text = `x-a: &a {vus: 1, duration: 10s}
x-b: &b {vus: 2, pacing: 1s}
x-load: &load
  <<: [*a, *b]
  duration: 20s
target: {url: http://127.0.0.1:8080}
workload: {<<: *load, script: k6.ts}
`;
    const { workload } = load({ 'test.yaml': text }).profile;
    expect([workload.vus, workload.duration, workload.pacing]).toEqual([1, 20_000, 1000]);
  });

  test('ignores keys that begin with x-, in every file of a chain, and nowhere but at the top', () => {
    const base = `x-target: &target {url: http://127.0.0.1:8080}\ntarget: *target\nx-unused: {token: s3cret-word}\n`;
    const loaded = load({ 'test.yaml': 'extends: base.yaml\nx-more: [1]\nworkload: {script: k6.ts}\n', 'base.yaml': base });
    expect(loaded.profile.target).toEqual({ url: 'http://127.0.0.1:8080' });
    expect(JSON.stringify(loaded.redacted)).not.toMatch(/x-|s3cret/);
    const { lines } = complaint(() => load({ 'test.yaml': `${least}  x-more: 1\n` }));
    expect(lines[0]).toContain('unknown key `x-more`');
  });

  test('knows anchors and merge keys', () => {
    const text = `${least}stores:\n  a: &redis {kind: redis, url: redis://h:1/1, testDatabase: 2}\n  b: {<<: *redis, testDatabase: 3}\n  c: *redis\n`;
    const { a, b, c } = load({ 'test.yaml': text }).profile.stores;
    expect([a, b, c]).toEqual([a, { ...a, testDatabase: 3 }, a]);
  });
});

describe('variables', () => {
  const text = `${least}  vus: \${VUS}
  duration: \${TIME:-1m}
  env: {A: "<\${A}|\${B}|\${C:-c}|\${D:-d}|$\${A}>"}
guards: {confirm: "\${YES}"}
`;
  test('come from the environment, then .env.test, then .env, then the default; numbers and yes or no are what they say', () => {
    const loaded = load(
      { 'test.yaml': text },
      {
        env: { VUS: '1_0', A: 'environment', D: '' },
        elsewhere: { '/w/.env.test': 'A=own\nB=own\nYES=true\n', '/w/.env': 'A=all\nB=all\nC=all\n' },
      },
    );
    const { vus, duration, env } = loaded.profile.workload;
    expect([vus, duration, env, loaded.profile.guards.confirm]).toEqual([10, 60_000, { A: '<environment|own|all|d|${A}>' }, true]);
    expect(loaded.variables).toEqual([
      { name: 'VUS', from: 'environment' },
      { name: 'TIME', from: 'default' },
      { name: 'A', from: 'environment' },
      { name: 'B', from: '.env.test' },
      { name: 'C', from: '.env' },
      { name: 'D', from: 'default' },
      { name: 'YES', from: '.env.test' },
    ]);
  });

  test('cannot change the document', () => {
    const loaded = load({ 'test.yaml': `${least}  env: {A: "\${A}"}\n` }, { env: { A: '1}\nusers: {x: "' } });
    expect(loaded.profile.workload.env).toEqual({ A: '1}\nusers: {x: "' });
  });

  test('that nobody has stay as they are where secrets are optional', () => {
    const words = 'stores: {db: {kind: postgres, url: "postgres://me:${DB_PASSWORD}@h/x"}, c: {kind: redis, url: "${REDIS_URL}"}}\n';
    const loaded = load({ 'test.yaml': least + words }, { secrets: 'optional' });
    expect(loaded.profile.stores).toEqual({
      db: { kind: 'postgres', url: 'postgres://me:${DB_PASSWORD}@h/x' },
      c: { kind: 'redis', url: '${REDIS_URL}' },
    });
    expect(loaded.variables).toEqual([
      { name: 'DB_PASSWORD', from: 'missing' },
      { name: 'REDIS_URL', from: 'missing' },
    ]);
    expect(loaded.secrets).toEqual([]);
  });

  test('the environment’s name may be one of the file’s own', () => {
    const loaded = load(
      { 'test.yaml': `environment: other\n${least}  vus: \${VUS}\n  duration: 1m\n` },
      { elsewhere: { '/w/.env.other': 'VUS=3' } },
    );
    expect(loaded.variables).toEqual([{ name: 'VUS', from: '.env.other' }]);
  });
});

describe('--set and -e', () => {
  test('change values for one run and are recorded', () => {
    const text = `${least}  env: {KEEP: kept-value}\nseed: {k: {key: "c/k{n}", rows: 5, value: 1}}\nstores: {c: {kind: redis, url: redis://h}}\nsla: {errors: 1%}\n`;
    const set = [
      'workload.vus=10',
      'workload.duration=30s',
      'seed.k.rows=7',
      'workload.mix={a: 50%, b: 50%}',
      'sla.p99.9=< 2s',
      'sla.http_reqs{name:GET /a=b}=[rate > 5]',
      'sla.availability=>= 99%',
      'sla.errors=null',
      'stores.c.password=s3cret-word',
      'workload.options."a.b"=1',
    ];
    const loaded = load({ 'test.yaml': text }, { set, scriptEnv: ['NAME=a=b c', 'FROM_ENV'], env: { FROM_ENV: 'inherited' } });
    const { workload, seed, sla } = loaded.profile;
    expect([workload.vus, workload.duration, workload.mix, workload.options, seed.k?.rows]).toEqual([
      10,
      30_000,
      { a: 0.5, b: 0.5 },
      { 'a.b': 1 },
      7,
    ]);
    expect(workload.env).toEqual({ KEEP: 'kept-value', NAME: 'a=b c', FROM_ENV: 'inherited' });
    expect(sla.map(({ name, operator, limit }) => `${name} ${operator} ${limit}`)).toEqual([
      'p99.9 < 2000',
      'http_reqs{name:GET /a=b} rate > 5',
      'availability >= 0.99',
    ]);
    expect(loaded.overrides).toEqual([
      { path: 'workload.vus', value: '10' },
      { path: 'workload.duration', value: '30s' },
      { path: 'seed.k.rows', value: '7' },
      { path: 'workload.mix', value: '{a: 50%, b: 50%}' },
      { path: 'sla.p99.9', value: '< 2s' },
      { path: 'sla.http_reqs{name:GET /a=b}', value: '[rate > 5]' },
      { path: 'sla.availability', value: '>= 99%' },
      { path: 'sla.errors', value: 'null' },
      { path: 'stores.c.password', value: '[redacted]' },
      { path: 'workload.options.a.b', value: '1' },
      { path: 'workload.env.NAME', value: 'a=b c' },
      { path: 'workload.env.FROM_ENV', value: '[redacted]' },
    ]);
    expect([...loaded.secrets].sort()).toEqual(['inherited', 's3cret-word']);
  });

  test('a path in --set is relative to the working directory', () => {
    expect(load({ 'test.yaml': least }, { set: ['workload.script=profiles/k6.ts'] }).profile.workload.script).toBe('/w/profiles/k6.ts');
  });

  test.each([
    [{ set: ['workload.vus'] }, '--set workload.vus has no name and `=`', 'Write --set workload.vus=10'],
    [{ set: ['a..b=1'] }, '--set a..b=… is not a path', 'Write --set workload.vus=10'],
    [{ scriptEnv: ['=1'] }, '-e … has no name and `=`', 'Write -e KEY=VALUE'],
    [{ scriptEnv: ['GONE'] }, '-e GONE has no value, and the environment has no GONE', 'Write -e GONE=VALUE'],
    [{ scriptEnv: ['TOKEN s3cret'] }, '-e TOKEN… has no value, and the environment has no TOKEN…', 'Write -e TOKEN=VALUE'],
  ])('%o is wrong usage', (options, message, hint) => {
    const error = complaint(() => load({ 'test.yaml': least }, options));
    expect([error.reason, error.message, error.hint]).toEqual(['usage', message, hint]);
  });
});

test('a profile that extends one with a pool may say bypass: the pool does nothing there', () => {
  const base = `${least}${'stores: {db: {kind: postgres, url: postgres://h/d}}'}
seed: {users: {table: db.users, rows: 1, columns: {id: "u-{n}"}}}\nusers: {strategy: pool, from: users.id}\n`;
  const { profile } = load({ 'base.yaml': base, 'test.yaml': 'extends: base.yaml\nusers: {strategy: bypass, key: k}\n' });
  expect(profile.users).toEqual({ strategy: 'bypass', key: 'k', expires: 7_200_000 });
});

describe('secrets', () => {
  const text = `${least}  env: {TOKEN: abcdef, MODE: "on", PORT: 8080, VERSION: 1.10}
users: {strategy: bypass, key: "\${BYPASS_KEY}"}
stores:
  db: {kind: postgres, url: "postgres://me:p%40ss-word@h/x?token=t0ken"}
  local: {kind: postgres, url: "\${DB_URL:-postgres://postgres:postgres@127.0.0.1/x}"}
  cache: {kind: redis, url: redis://h, password: from-file}
seed: {k: {key: "cache/key-{n}", rows: 2, value: {password: "pw-{n}"}}}
outputs:
  hook: {kind: webhook, url: "https://h/in/here?of=whom", secret: whsec_c2lnbmVk}
  chat: {kind: slack, webhook: "\${SLACK_WEBHOOK}"}
  page: {kind: pagerduty, routingKey: routing-key, url: "https://events.eu.pagerduty.com/v2/enqueue"}
`;
  const loaded = load(
    { 'test.yaml': text },
    { env: { BYPASS_KEY: 'signing-key', SLACK_WEBHOOK: 'https://hooks.slack.com/services/T0/B0/x-y' } },
  );

  test('are all known', () => {
    expect([...loaded.secrets].sort()).toEqual([
      ':****rd',
      'abcdef',
      Buffer.from('me:p@ss-word').toString('base64'),
      'from-file',
      'in/here?of=whom',
      'p%40ss-word',
      'p@ss-word',
      'routing-key',
      'services/T0/B0/x-y',
      'signing-key',
      't0ken',
      'whsec_c2lnbmVk',
    ]);
  });

  test('are not in what is stored', () => {
    expect(loaded.redacted).toMatchObject({
      workload: { env: { TOKEN: '[redacted]', MODE: 'on', PORT: '8080', VERSION: '1.10' } },
      users: { strategy: 'bypass', key: '[redacted]', expires: '2h' },
      stores: {
        db: { url: 'postgres://me:[redacted]@h/x?token=[redacted]' },
        local: { url: 'postgres://postgres:postgres@127.0.0.1/x' },
        cache: { url: 'redis://h', password: '[redacted]' },
      },
      seed: { k: { key: 'cache/key-{n}', value: { password: 'pw-{n}' } } },
      outputs: {
        hook: { url: 'https://h/[redacted]', secret: '[redacted]' },
        chat: { webhook: 'https://hooks.slack.com/[redacted]' },
        page: { routingKey: '[redacted]', url: 'https://events.eu.pagerduty.com/v2/enqueue' },
      },
    });
  });

  test('are not in the profile that is shown, and nothing else is missing there', () => {
    const { shown } = loaded;
    expect(shown.workload.env).toEqual({ TOKEN: '[redacted]', MODE: 'on', PORT: '8080', VERSION: '1.10' });
    expect(shown.users).toEqual({ strategy: 'bypass', key: '[redacted]', expires: 7_200_000 });
    expect(shown.stores.db).toEqual({ kind: 'postgres', url: 'postgres://me:[redacted]@h/x?token=[redacted]' });
    expect(shown.seed).toEqual(loaded.profile.seed);
    expect(shown.sla).toEqual(loaded.profile.sla);
  });

  test('what is stored is the same with and without them', () => {
    const words = `${least}users: {strategy: bypass, key: "\${KEY}"}\nstores: {db: {kind: postgres, url: "postgres://me:\${DB_PASSWORD}@h/x"}}\n`;
    const without = load({ 'test.yaml': words }, { secrets: 'optional' });
    const withThem = load({ 'test.yaml': words }, { env: { KEY: 'signing-key', DB_PASSWORD: 'hunter2' } });
    expect(withThem.redacted).toEqual(without.redacted);
    expect(withThem.shown).toEqual(without.shown);
    expect(withThem.secrets).toEqual(['signing-key', 'hunter2', Buffer.from('me:hunter2').toString('base64')]);
  });

  test('variables of the script keep the text they were written with', () => {
    expect(loaded.profile.workload.env).toEqual({ TOKEN: 'abcdef', MODE: 'on', PORT: '8080', VERSION: '1.10' });
  });
});

describe('which profile', () => {
  const texts = { 'test.yaml': `extends: base.yaml\n${least}`, 'base.yaml': '{}', 'staging.yml': least };
  test.each<[ProfileSource, string, string]>([
    [{ environment: 'stagign' }, 'Unknown environment `stagign`: `profiles` has `staging` and `test`', 'Did you mean --env staging?'],
    [
      { environment: 'moon' },
      'Unknown environment `moon`: `profiles` has `staging` and `test`',
      'Write profiles/moon.yaml, or name one of these with --env',
    ],
    [
      { environment: '../x' },
      'Unknown environment `../x`: `profiles` has `staging` and `test`',
      'Name one of these with --env, or a file with --profile FILE',
    ],
    ...['./profiles/test.yaml', 'profiles/test.yaml', 'test.yaml', 'profiles/test', './test.yml'].map(
      (environment): [ProfileSource, string, string] => [
        { environment },
        `Unknown environment \`${environment}\`: \`profiles\` has \`staging\` and \`test\``,
        'Did you mean --env test?',
      ],
    ),
    [
      { environment: 'profiles/base.yaml' },
      'Unknown environment `profiles/base.yaml`: `profiles` has `staging` and `test`',
      'Did you mean --profile profiles/base.yaml?',
    ],
    [{ file: 'profiles/tset.yaml' }, 'Profile profiles/tset.yaml does not exist', 'Did you mean test.yaml?'],
  ])('%o', (source, message, hint) => {
    const error = complaint(() => load(texts, { source }));
    expect([error.reason, error.message, error.hint]).toEqual(['invalid-profile', message, hint]);
  });

  test('one that another one extends is one, too, unless it lacks what to load by what', () => {
    const files = {
      'staging.yaml': least,
      'staging-eu.yaml': 'extends: ./staging.yaml\n',
      'test.yaml': 'extends: base.yaml\n',
      'base.yaml': least.slice(least.indexOf('workload')),
    };
    const error = complaint(() => load(files, { source: { environment: 'stagin' } }));
    expect([error.message, error.hint]).toEqual([
      'Unknown environment `stagin`: `profiles` has `staging`, `staging-eu` and `test`',
      'Did you mean --env staging?',
    ]);
  });

  test('without a profile there is a way to one', () => {
    const error = complaint(() => load({ 'k6.ts': '' }, { source: { environment: 'dev' } }));
    expect([error.reason, error.message, error.hint]).toEqual([
      'invalid-profile',
      'Unknown environment `dev`: no profile found in profiles/',
      'Write a first profile with `loadctl init`, or name a file with --profile FILE',
    ]);
  });

  test('--env A=B is answered', () => {
    const error = complaint(() => load(texts, { source: { environment: 'PASSWORD=hunter2' } }));
    expect([error.reason, error.message, error.hint]).toEqual([
      'usage',
      '`--env PASSWORD=…` is not an environment',
      '-e KEY=VALUE feeds the script; --env names the environment',
    ]);
  });
});

test('the place of every limit, in the order of the criteria: of what a profile extends too, of no argument', () => {
  const files = {
    'base.yaml': `${least}sla:\n  p95: < 1s\n  errors: < 1%\n`,
    'test.yaml':
      'extends: base.yaml\nsla:\n  p95:\n    - < 500ms\n    - "> 1ms"\n  p99: < 2s\ncritical:\n  cpu:\n    limit: < 80%\n    for: 10s\n',
  };
  const { profile, limits } = load(files, { set: ['sla.errors=< 2%'] });
  const stated = [...profile.sla, ...profile.critical].map(({ name }, index) => [
    name,
    limits[index] && Object.values(limits[index]).join(':'),
  ]);
  expect(stated).toEqual([
    ['p95', 'profiles/test.yaml:4'],
    ['p95', 'profiles/test.yaml:5'],
    ['errors', null],
    ['p99', 'profiles/test.yaml:6'],
    ['cpu', 'profiles/test.yaml:9'],
  ]);
});
