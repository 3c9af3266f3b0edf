import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const short = ['--set', 'workload.duration=4s', '--set', 'workload.ramp=null', '--set', 'workload.vus=4'];

async function initialised() {
  const target = await startTarget();
  const place = workplace();
  const said = await place.loadctl(['init', '--url', target.url]);
  expect([said.code, said.stderr]).toEqual([0, '']);
  return { target, place, said };
}

describe('init', () => {
  test('writes what run accepts as it is, and says what to type next', async () => {
    const { place, target, said } = await initialised();
    expect(said.stdout).toBe(
      `Written: profiles/base.yaml, profiles/dev.yaml, profiles/staging.yaml, profiles/prod.yaml, k6/first.js, .github/workflows/load-test.yml, .env.example, .gitignore

Yours to decide, at comments that begin with \`?\`: profiles/base.yaml: 1, profiles/dev.yaml: 1, profiles/staging.yaml: 3, profiles/prod.yaml: 4

Next, with your service up at ${target.url}:
  loadctl doctor --env dev
  loadctl plan --env dev
  loadctl run --env dev
`,
    );
    const ran = await place.loadctl(['run', '--env', 'dev', ...short]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^PASS {2}run \d{8}-\d{6}-\w{5} · 2 runners, k6 \d+\.\d+\.\d+ · judged: whole test \d/m);
    expect(ran.stdout).toMatch(/^ {2}p95 +< 500 ms +.* ms.* ✔ pass$/m);
    expect(ran.stdout).toMatch(/^ {2}GET \/ +\d+ +[\d.]+\/s +0%/m);
    expect(ran.stdout + ran.stderr).not.toContain('\x1b');
    expect(target.hits.get('GET /')).toBeGreaterThanOrEqual(12);
  });

  test('does not overwrite unless it is told to', async () => {
    const { place } = await initialised();
    place.file('k6/first.js', '// mine');
    const said = await place.loadctl(['init']);
    expect(said).toMatchObject({ code: 2, stdout: '' });
    expect(said.stderr).toContain('profiles/prod.yaml are there already: nothing was written');
    expect(place.read('k6/first.js')).toBe('// mine');
    expect((await place.loadctl(['init', '--force'])).code).toBe(0);
    expect(place.read('k6/first.js')).not.toBe('// mine');
  });

  test('writes nothing where one of the files is there', async () => {
    const place = workplace({ 'k6/first.js': '// mine' });
    expect((await place.loadctl(['init'])).code).toBe(2);
    expect(existsSync(join(place.folder, 'profiles/dev.yaml'))).toBe(false);
  });
});

test('a slow target fails the SLA: 99, the table says which criterion, verify --json prints verdict.json', async () => {
  const { place, target } = await initialised();
  target.delays.set('/', 700);
  const ran = await place.loadctl(['run', '--env', 'dev', ...short, '--quiet']);
  expect(ran.code).toBe(99);
  expect(ran.stdout).toMatch(/^ {2}p95 +< 500 ms +7\d\d.* ms.* ✖ fail$/m);
  expect(ran.stderr).toMatch(/✖ run ended after .*: the SLA was not met\n$/);
  const verified = await place.loadctl(['verify', '--json']);
  expect(verified.code).toBe(99);
  expect(verified.stderr).toContain('The latest run here: ');
  const verdict = JSON.parse(verified.stdout);
  expect([verdict.exitCode, verdict.exitCodes]).toEqual([99, [99]]);
  expect(verdict).toEqual(JSON.parse(place.read(join(place.latestRun().slice(place.folder.length), 'verdict.json'))));
  const runs = JSON.parse((await place.loadctl(['runs', '--json'])).stdout).runs;
  expect(runs).toMatchObject([{ run: verdict.run, environment: 'dev', state: 'failed' }]);
});

test('what run --plan carries out is the plan that was approved, in another folder, under another home, without the secrets', async () => {
  const { place, target } = await initialised();
  const base = place.read('profiles/base.yaml');
  const words = base.replace('  script: ../k6/first.js', '  script: ../k6/first.js\n  env: {TOKEN: "${SHOP_TOKEN}"}');
  const script = `${place.read('k6/first.js')}\nexport function setup() { if (__ENV.TOKEN !== 'open-sesame') throw new Error('no token'); }\n`;
  const files = { 'profiles/base.yaml': words, 'profiles/dev.yaml': place.read('profiles/dev.yaml'), 'k6/first.js': script };
  const [approving, running] = [workplace(files), workplace({ 'deeper/.keep': '', ...files })];
  const out = await approving.loadctl(['plan', ...short, '--out', 'dev.plan'], { HOME: '/home/ann' });
  expect([out.code, out.stderr]).toEqual([0, '']);
  running.file('dev.plan', approving.read('dev.plan'));

  const ran = await running.loadctl(['run', '--plan', 'dev.plan', ...short, '--json'], { SHOP_TOKEN: 'open-sesame' });
  expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('the load begins')]);
  const { script: approvedScript, ...approved } = JSON.parse(approving.read('dev.plan'));
  const { plan } = JSON.parse(running.read(join(running.latestRun().slice(running.folder.length), 'run.json')));
  expect(approvedScript).toBe(join(approving.folder, 'k6/first.js'));
  expect(plan).toEqual({ ...approved, script: join(running.folder, 'k6/first.js') });
  expect(approved.env).toEqual({ TOKEN: '[redacted]' });
  expect(target.hits.get('GET /')).toBeGreaterThanOrEqual(12);
});

describe('an interrupted run', () => {
  test('keeps what was measured: 105, and one JSON document', async () => {
    const { place } = await initialised();
    const { process, said, until } = place.start(['run', '--env', 'dev', '--json']);
    await until('the load begins');
    process.kill('SIGTERM');
    const { code, stdout, stderr } = await said;
    expect(code).toBe(105);
    expect(stderr).toContain('SIGTERM received: stopping gracefully. Repeat to stop immediately.');
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'interrupted', exitCode: 105, exitCodes: [105] });
  });

  test('leaves no run behind before anything started', async () => {
    const { place } = await initialised();
    const { process, said, until } = place.start(['run', '--env', 'dev']);
    await until('first.js …');
    process.kill('SIGINT');
    expect((await said).code).toBe(105);
    expect((await place.loadctl(['runs'])).stdout).toContain('No runs in');
  });

  test('ends at once when it is asked twice', async () => {
    const { place } = await initialised();
    const { process, said, until } = place.start(['run', '--env', 'dev']);
    await until('the load begins');
    process.kill('SIGINT');
    await until('Repeat to stop immediately');
    process.kill('SIGTERM');
    const asked = Date.now();
    expect((await said).code).toBe(105);
    expect(Date.now() - asked).toBeLessThan(5000);
  });
});

test('secrets for the script never show, whatever it does with them', async () => {
  const { place } = await initialised();
  place.file('k6/first.js', 'export default function () {}\nexport function setup() { throw new Error(`no ${__ENV.TOKEN}`); }\n');
  const said = await place.loadctl(['run', '--env', 'dev', ...short, '-e', 'TOKEN=open-sesame', '--json']);
  expect(said.code).toBe(107);
  expect(said.stderr).toContain('no [redacted]');
  expect(said.stdout + said.stderr).not.toContain('open-sesame');
  const { runs } = JSON.parse((await place.loadctl(['runs', '--json'])).stdout);
  expect(runs).toMatchObject([{ state: 'invalid', why: 'The script threw in setup(): Error: no [redacted].' }]);
});
