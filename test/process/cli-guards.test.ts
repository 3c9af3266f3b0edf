import { describe, expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

// A host that leads nowhere: what is refused in time never looks it up.
const staging = `environment: staging
target: {url: http://staging.invalid}
workload: {script: k6.js, vus: 10, duration: 10s, pacing: 1s}
stores: {db: {kind: postgres, url: "postgres://app:\${DB_PASSWORD:-}@db.invalid/x"}}
cleanup: {prefix: load-test-user-, rows: [{table: db.t, column: c}]}
guards: {allow: [staging.invalid, db.invalid], maxVus: 10}
`;

const here = (text = staging) => workplace({ 'profiles/staging.yaml': text, 'profiles/k6.js': 'export default () => {}' });

describe('beyond this machine', () => {
  test.each(['run', 'seed', 'cleanup', 'test'])('%s wants somebody to say that it is meant', async (command) => {
    const said = await here().loadctl([command, '--env', 'staging']);
    expect(said).toMatchObject({ code: 112, stdout: '' });
    expect(said.stderr).toContain('nothing was sent');
    expect(said.stderr).toMatch(/LOADCTL_CONFIRM=staging@[0-9a-f]{12}/);
    expect(said.stderr).toContain('PLAN  staging');
  });

  test('a confirmation of this plan lets it go on, one of another does not', async () => {
    const place = here();
    const { hash } = JSON.parse((await place.loadctl(['plan', '--env', 'staging', '--json'])).stdout);
    const seeded = await place.loadctl(['seed', '--env', 'staging'], { LOADCTL_CONFIRM: `staging@${hash}` });
    expect(seeded.code).not.toBe(112);
    expect((await place.loadctl(['seed', '--env', 'staging'], { LOADCTL_CONFIRM: `staging@${'0'.repeat(64)}` })).code).toBe(112);
    expect(
      (await place.loadctl(['seed', '--env', 'staging', '--set', 'workload.vus=9'], { LOADCTL_CONFIRM: `staging@${hash}` })).code,
    ).toBe(112);
  });

  test('every guard that refuses is named, with what would satisfy it', async () => {
    const said = await here().loadctl([
      'run',
      '--env',
      'staging',
      '--set',
      'workload.vus=11',
      '--set',
      'guards.allow=[staging.invalid]',
      '--json',
    ]);
    const { error } = JSON.parse(said.stdout);
    expect(error).toMatchObject({ code: 'refused', exitCode: 112, message: '2 guards refuse this on staging; nothing was sent.' });
    expect(error.lines).toEqual([
      "allow: db.invalid is not on the profile's list of allowed hosts.",
      '  If it may be loaded, add it: guards.allow: [db.invalid]',
      'cap: The load is 11 VUs; guards.maxVus allows 10 VUs.',
      '  Ask for less, or raise guards.maxVus.',
    ]);
  });

  test('cleanup wants the environment in words', async () => {
    const said = await here().loadctl(['cleanup']);
    expect(said.code).toBe(112);
    expect(said.stderr).toContain('hint: loadctl cleanup --env staging');
  });

  test('only the approved plan runs', async () => {
    const place = here();
    expect((await place.loadctl(['plan', '--env', 'staging', '--out', 'approved.json'])).code).toBe(0);
    const said = await place.loadctl(['run', '--plan', 'approved.json', '--set', 'workload.vus=9']);
    expect(said.code).toBe(112);
    expect(said.stderr).toContain('The plan has changed since it was approved');
    const same = await place.loadctl(['run', '--plan', 'approved.json']);
    expect(same.stderr).toContain('Confirm that staging is meant');
  });

  test.each(['run', 'seed', 'cleanup', 'test'])(
    'a plan of version 1 is no plan that %s carries out: it is planned again',
    async (command) => {
      const place = here();
      await place.loadctl(['plan', '--env', 'staging', '--out', 'approved.json']);
      place.file('approved.json', place.read('approved.json').replace('"version": 2', '"version": 1'));
      const said = await place.loadctl([command, '--plan', 'approved.json']);
      expect(said).toEqual({
        code: 112,
        stdout: '',
        stderr:
          'error: approved.json is a plan of version 1; this loadctl runs plans of version 2.\n' +
          'hint: Plan again, and have that approved: loadctl plan --env staging --out approved.json\n',
      });
    },
  );

  test.each([
    ['load', (plan: PlanFile) => ({ ...plan, load: { ...plan.load, vus: 1 } })],
    ['cleanup', (plan: PlanFile) => ({ ...plan, cleanup: { ...plan.cleanup, prefix: 'load-test-' } })],
    ['seed', (plan: PlanFile) => ({ ...plan, seed: [{ kind: 'rows', table: 'db.t', rows: 1, columns: { id: 'x{n}' } }] })],
    ['abort', (plan: PlanFile) => ({ ...plan, abort: [] })],
    ['fleet', (plan: PlanFile) => ({ ...plan, fleet: { ...plan.fleet, onLost: 'continue' } })],
    ['env', (plan: PlanFile) => ({ ...plan, env: { MORE: '[redacted]' } })],
  ])('a plan file in which somebody changed %s is refused', async (part, change) => {
    const place = here(`${staging}abort: [{when: errors > 5%}]\n`);
    await place.loadctl(['plan', '--env', 'staging', '--out', 'approved.json']);
    place.file('approved.json', JSON.stringify(change(JSON.parse(place.read('approved.json')) as PlanFile)));
    const said = await place.loadctl(['run', '--plan', 'approved.json']);
    expect(said.code).toBe(112);
    expect(said.stderr).toContain(`The plan file was changed after it was written: ${part}.`);
  });
});

type PlanFile = Record<'load' | 'cleanup' | 'fleet', object>;
