import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/core/receipt.js';
import { hasCluster, kubeconfig } from '../cluster/cluster.js';
import { eventually } from '../cluster/eventually.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { hasTerminals, startInTerminal } from '../support/pty.js';
import { dataWords, type Shop, shop, whyNot, withServers } from './support/inside.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const dev = ['--env', 'dev'];
const twenty = 'options: {scenarios: {s: {executor: shared-iterations, vus: 2, iterations: 20}}}';

withServers();

const rowsOf = async ({ sql }: Shop) => {
  const [row] = await sql('SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM reservations) AS reservations');
  return row;
};

/** What is there before anything was seeded. */
const others = { users: 1, reservations: 2 };

/** A receipt without what differs from test to test: times, run, places. */
function comparable(receipt: Receipt | undefined): unknown {
  const text = JSON.stringify(receipt, (key, value: unknown) =>
    ['ms', 'snapshots', 'startedAt', 'finishedAt', 'countedBefore'].includes(key) ? typeof value : value,
  );
  const known = text.replaceAll(/\d{8}-\d{6}-[a-z0-9]{5}/g, 'RUN').replaceAll(/\d+\.\d+\.\d+\.\d+(:\d+)?/g, 'HOST');
  return JSON.parse(known);
}

const receiptIn = (folder: string): Receipt => JSON.parse(readFileSync(join(folder, 'receipt.json'), 'utf8'));

/** The same test where runners and databases are on this machine. */
function placeHere({ here, script }: Shop): Workplace {
  const profile = `target: {url: "${here.target}"}\nworkload: {script: ../script.js, ${twenty}}\nrunners: {count: 1}\n${dataWords(here)}`;
  return workplace({ 'profiles/dev.yaml': profile, 'script.js': script });
}

describe.skipIf(!hasCluster)('databases that only the pod network reaches', () => {
  test('seed, run, verify and cleanup, one by one, from where nobody reaches them', async () => {
    const at = await shop(twenty);
    for (const place of at.inside) expect(await whyNot(place)).toMatch(/^(EHOSTUNREACH|ENETUNREACH|timeout|ECONNREFUSED)$/);
    const seedHere = ['seed', ...dev, '--set', 'runners.kubernetes.phases=here'];
    const unknown = await at.loadctl(seedHere);
    expect([unknown.code, unknown.stderr]).toEqual([104, expect.stringContaining('DB_PASSWORD')]);
    const unreached = await at.loadctl(seedHere, { DB_PASSWORD: at.password });
    expect(unreached.code, unreached.stderr).toBe(115);
    expect(await rowsOf(at)).toEqual(others);

    const seeded = await at.loadctl(['seed', ...dev, '--json']);
    expect(seeded.code, seeded.stderr).toBe(0);
    expect(JSON.parse(seeded.stdout)).toMatchObject({ environment: 'dev', stores: [{}, {}] });
    expect(await rowsOf(at)).toEqual({ users: 201, reservations: 2 });
    expect(JSON.parse(at.read('.loadctl/before-dev.json'))).toMatchObject({ environment: 'dev' });

    const ran = await at.loadctl(['run', ...dev]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(await rowsOf(at)).toEqual({ users: 201, reservations: 22 });
    expect((await at.loadctl(['verify'])).code).toBe(0);

    const dry = await at.loadctl(['cleanup', ...dev, '--dry-run', '--json']);
    expect([dry.code, JSON.parse(dry.stdout)], dry.stderr).toMatchObject([0, { dryRun: true }]);
    expect(await rowsOf(at)).toEqual({ users: 201, reservations: 22 });
    expect((await at.loadctl(['cleanup', ...dev, '--seeded', '--detach'])).code).toBe(0);
    const [newest] = JSON.parse((await at.loadctl(['runs', ...dev, '--json'])).stdout).runs;
    expect(newest).toMatchObject({ command: 'cleanup', environment: 'dev' });
    const cleaned = await at.loadctl(['attach', ...dev]);
    expect([cleaned.code, cleaned.stdout], cleaned.stderr).toEqual([0, expect.stringContaining('CLEAN')]);
    expect(await rowsOf(at)).toEqual(others);
    expect(receiptIn(at.latestRun())).toMatchObject({ proven: true, environment: 'dev' });
  });

  test('a whole test leaves the receipt and the directory of a local one', async () => {
    const at = await shop(twenty);
    const local = placeHere(at);
    const there = await at.loadctl(['test', ...dev, '--seeded']);
    expect(there.code, there.stderr).toBe(0);
    expect(await rowsOf(at)).toEqual(others);
    const here = await local.loadctl(['test', ...dev, '--seeded'], { DB_PASSWORD: at.password });
    expect(here.code, here.stderr).toBe(0);

    const [one, other] = [at.latestRun(), local.latestRun()];
    expect(comparable(receiptIn(one))).toEqual(comparable(receiptIn(other)));
    const names = (folder: string) => readdirSync(folder).sort();
    expect(names(one)).toEqual(names(other));
    expect(Object.keys(JSON.parse(at.read('.loadctl/before-dev.json')))).toEqual(
      Object.keys(JSON.parse(local.read('.loadctl/before-dev.json'))),
    );
    expect((await at.loadctl(['verify'])).code).toBe(0);
  });
});

/** The words of a call that has to be confirmed. */
const asked = ['test', ...dev, '--seeded', '--set', 'guards.confirm=true'];

describe.skipIf(!hasCluster)('a question', () => {
  test('that nobody can answer is no: 112, after the preview; --detach needs LOADCTL_CONFIRM, and makes nothing without it', async () => {
    const at = await shop(twenty);
    const before = await at.space.objects();
    const detached = await at.loadctl([...asked, '--detach']);
    expect([detached.code, detached.stderr]).toEqual([112, expect.stringMatching(/LOADCTL_CONFIRM=dev@[0-9a-f]{12}/)]);
    expect(await at.space.objects()).toEqual(before);

    const { code, stderr } = await at.loadctl(asked);
    expect(code).toBe(112);
    expect(stderr).toContain('PLAN  dev');
    const confirmation = /LOADCTL_CONFIRM=(\S+)/.exec(stderr)?.[1] ?? '';
    expect(await rowsOf(at)).toEqual(others);

    const left = await at.loadctl([...asked, '--detach'], { LOADCTL_CONFIRM: confirmation });
    expect([left.code, left.stdout], left.stderr).toEqual([0, expect.stringContaining('goes on in the cluster')]);
    const attached = await at.loadctl(['attach', ...dev]);
    expect(attached.code, attached.stderr).toBe(0);
    expect(receiptIn(at.latestRun()).proven).toBe(true);
    expect(await rowsOf(at)).toEqual(others);
  });

  test.skipIf(!hasTerminals())('is asked at the terminal, and what is typed there lets it go on', async () => {
    const at = await shop(twenty);
    const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
    const env = { PATH, HOME, LOADCTL_K6, KUBECONFIG: kubeconfig() };
    const terminal = startInTerminal([process.execPath, bin, ...asked, '--view', 'lines'], at.folder, env);
    await terminal.until(/Type the environment's name to continue \(dev\): /);
    // Bold, as this terminal shows it: the pod has none.
    expect(terminal.shown()).toContain('\u001b[1mPLAN\u001b[22m  dev');
    terminal.type('dev\n');
    expect(await terminal.exitCode, stripVTControlCharacters(terminal.shown())).toBe(0);
    expect(receiptIn(at.latestRun()).proven).toBe(true);
    expect(await rowsOf(at)).toEqual(others);
  });
});

/** Follows from another folder what a killed loadctl began, to its end; what came of it is there. */
async function endedElsewhere(at: Shop): Promise<void> {
  const other = at.elsewhere();
  const { code, stderr } = await other.loadctl(['attach', ...dev]);
  expect(code, stderr).toBe(0);
  const run = other.latestRun();
  expect(receiptIn(run)).toMatchObject({ proven: true });
  expect(existsSync(join(run, 'verdict.json'))).toBe(true);
  expect(JSON.parse(other.read('.loadctl/before-dev.json'))).toMatchObject({ environment: 'dev' });
  expect(await rowsOf(at)).toEqual(others);
}

describe.skipIf(!hasCluster)('loadctl is killed in a test', () => {
  test('while it seeds, under load, while it cleans up: attach ends it, from anywhere', async () => {
    const at = await shop('vus: 2, duration: 4s');
    const whole = ['test', ...dev, '--seeded'];

    await at.sql('BEGIN; LOCK TABLE users IN EXCLUSIVE MODE');
    const seeding = at.start(whole);
    await seeding.until('seed dev:');
    seeding.process.kill('SIGKILL');
    await seeding.said;
    await at.sql('COMMIT');
    await endedElsewhere(at);

    const loading = at.start(whole);
    await loading.until('the load begins');
    loading.process.kill('SIGKILL');
    await loading.said;
    await endedElsewhere(at);

    const cleaning = at.start(whole);
    await cleaning.until('the load ended');
    await at.sql("BEGIN; SELECT FROM reservations WHERE user_id LIKE 'load-test-user-%' FOR UPDATE");
    await cleaning.until('cleanup dev:');
    cleaning.process.kill('SIGKILL');
    await cleaning.said;
    await eventually(20, 'the cleanup waits', async () => {
      const [row] = await at.sql('SELECT count(*)::int FROM pg_locks WHERE NOT granted');
      return row?.count === 0 ? undefined : true;
    });
    await at.sql('COMMIT');
    await endedElsewhere(at);
  });
});
