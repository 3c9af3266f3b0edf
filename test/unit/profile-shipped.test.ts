import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { schemaFile } from '../../src/profile/generate.js';
import { diskFiles, loadProfile } from '../../src/profile/load.js';
import { referencePage } from '../../src/profile/reference.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const shipped = (environment: string) => loadProfile({ environment }, { cwd: root, env: {}, files: diskFiles, secrets: 'optional' });

test('dev is complete without any variable', () => {
  const { profile, variables } = loadProfile({ environment: 'dev' }, { cwd: root, env: {}, files: diskFiles, secrets: 'required' });
  expect(profile.target).toEqual({ url: 'http://127.0.0.1:8080', health: '/healthz' });
  expect(profile.stores).toEqual({
    db: { kind: 'postgres', url: 'postgres://postgres:postgres@127.0.0.1:5432/reservations' },
    cache: { kind: 'redis', url: 'redis://127.0.0.1:6379/1', testDatabase: 1 },
  });
  expect([profile.workload.vus, profile.workload.duration, profile.runners.backend, profile.runners.count]).toEqual([
    100,
    60_000,
    'local',
    2,
  ]);
  expect(profile.critical.map(({ name }) => name)).toEqual(['cpu', 'memory', 'dbConnections', 'queueDepth']);
  expect(Object.keys(profile.monitors)).toEqual(['db', 'cache', 'jobs', 'app']);
  expect(variables.map(({ from }) => from)).toEqual(['default', 'default', 'default']);
});

test('staging and prod are planned without secrets', () => {
  const [staging, prod] = [shipped('staging'), shipped('prod')];
  expect([staging.profile.workload.vus, staging.profile.workload.duration, staging.profile.runners.backend]).toEqual([
    1000,
    600_000,
    'ssh',
  ]);
  expect([prod.profile.workload.vus, prod.profile.workload.duration, prod.profile.runners.backend]).toEqual([
    30_000,
    1_800_000,
    'kubernetes',
  ]);
  expect(prod.profile.stores.db).toMatchObject({
    kind: 'postgres',
    shardBy: { column: 'id', by: { kind: 'digits', modulo: 4 } },
    tls: { mode: 'verify-full' },
  });
  expect(prod.profile.target.colours).toEqual({ blue: 'https://blue.prod.example.com', green: 'https://green.prod.example.com' });
  expect(prod.profile.sla.find(({ name }) => name === 'throughput')).toMatchObject({ operator: '>=', limit: 30_000, unit: '/s' });
  expect([...staging.variables, ...prod.variables].every(({ from }) => from === 'missing')).toBe(true);
});

test('every profile tells editors its schema in the first line', () => {
  const first = (name: string) => readFileSync(join(root, 'profiles', name), 'utf8').split('\n')[0];
  const names = diskFiles.listFolder(join(root, 'profiles')).filter((name) => name.endsWith('.yaml'));
  expect([...names].sort()).toEqual(['base.yaml', 'dev.yaml', 'prod.yaml', 'staging.yaml']);
  expect(new Set(names.map(first))).toEqual(new Set(['# yaml-language-server: $schema=../schema/profile.schema.json']));
});

test.each([
  ['schema/profile.schema.json', schemaFile],
  ['docs/profile.md', referencePage],
])('%s is what the schema makes (else: npm run generate)', (path, make) => {
  expect(readFileSync(join(root, path), 'utf8'), `${path} is out of date: npm run generate`).toBe(make());
});
