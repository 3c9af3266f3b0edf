import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Reservations, startReservations } from '../servers/reservations.js';
import { type Said, workplace } from '../support/loadctl.js';

const dev = fileURLToPath(new URL('../../profiles/dev.yaml', import.meta.url));
const profile = `extends: ${dev}
environment: dev
target: {lookup: {path: "/users/user-{n}"}}
workload: {vus: 4, duration: 8s, ramp: 1s}
sla: {p95: < 30s, throughput: 0.1/s}
monitors: {db: {kind: postgres, store: db, every: 1s}}
critical: {dbConnections: < 99%}
`;

let reservations: Reservations;
beforeAll(async () => {
  reservations = await startReservations({ bypassKey: 'json-documents-0123456789abcdef-0123', loadTest: true });
});
afterAll(() => reservations.stop());

/** What is wrong with a document by the schema that is shipped; each of its fields is named there, as its objects are closed. */
function faultsOf(command: string, { stdout }: Said): unknown[] {
  const schema = JSON.parse(readFileSync(new URL(`../../schema/${command}-result.schema.json`, import.meta.url), 'utf8'));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const check = ajv.compile(schema);
  if (check(JSON.parse(stdout))) {
    const unknown = { ...JSON.parse(stdout), unheardOf: 1 };
    return check(unknown) ? ['an unknown field is taken'] : [];
  }
  return [stdout.slice(0, 2000), ...(check.errors ?? [])];
}

test('what --json prints of every command is what its schema says, to the last field', async () => {
  const at = workplace({ 'profiles/dev.yaml': profile });
  const env = { BASE_URL: reservations.service.url, DB_URL: reservations.databaseUrl, REDIS_URL: reservations.redisUrl };
  const calls: [command: string, field: string, ...args: string[]][] = [
    ['init', 'error'],
    ['plan', 'capacity', '--env', 'dev'],
    ['doctor', 'capacity', '--env', 'dev'],
    ['seed', 'before', '--env', 'dev'],
    ['doctor', 'asked', '--env', 'dev', '--ask'],
    ['doctor', 'monitors', '--env', 'dev', '--monitors'],
    ['doctor', 'outputs', '--env', 'dev', '--outputs'],
    ['run', 'measured', '--env', 'dev'],
    ['verify', 'criteria'],
    ['compare', 'changes', '--save', 'base.json'],
    ['verify', 'comparison', '--baseline', 'base.json'],
    ['report', 'file'],
    ['test', 'measured', '--env', 'dev'],
    ['cleanup', 'proven', '--env', 'dev', '--seeded'],
    ['test', 'errors', '--env', 'dev', '--set', 'target.url=http://127.0.0.1:9'],
    ['resend', 'outputs'],
    ['runs', 'runs'],
    ['runs', 'removed', '--keep', '1'],
    ['seed', 'error', '--env', 'none'],
  ];
  for (const [command, field, ...args] of calls) {
    const said = await at.loadctl([command, ...args, '--json'], env);
    const what = [command, ...args].join(' ');
    expect.soft([what, ...faultsOf(command, said)]).toEqual([what]);
    expect.soft([what, Object.hasOwn(JSON.parse(said.stdout), field) ? '' : said.stderr]).toEqual([what, '']);
  }
});

test('so is what attach and stop print of a run that goes on', async () => {
  const at = workplace({ 'profiles/dev.yaml': profile.replace('8s', '60s') });
  const env = { BASE_URL: reservations.service.url, DB_URL: reservations.databaseUrl, REDIS_URL: reservations.redisUrl };
  const run = at.start(['test', '--env', 'dev', '--json'], env);
  await run.until('the load begins');
  const listed = await at.loadctl(['runs', '--json'], env);
  const attached = at.start(['attach', '--json'], env);
  await attached.until('the load begins');
  const stopped = await at.loadctl(['stop', '--json'], env);
  const told = { runs: listed, stop: stopped, attach: await attached.said, test: await run.said };
  for (const [command, said] of Object.entries(told)) expect.soft([command, ...faultsOf(command, said)]).toEqual([command]);
  expect(told.test.code).toBe(105);
});
