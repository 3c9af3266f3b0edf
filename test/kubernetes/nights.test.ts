import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasCluster, inNode } from '../cluster/cluster.js';
import { type Namespace, namespaceForTest } from '../cluster/namespace.js';
import { firstNode, forPods, targetForPods } from '../cluster/target.js';
import { startPostgres } from '../servers/postgres.js';
import { kustomized, volumeFor } from './support/deployed.js';
import { type JobOver, jobOver } from './support/jobs.js';

const script = `import http from 'k6/http';
import { sleep } from 'k6';
export default () => { http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } }); sleep(0.1); };
`;

const profile = (target: string) => `environment: nightly
target: {url: "${target}"}
workload: {script: ../k6/nightly.js, vus: 4, duration: 3s}
stores: {db: {kind: postgres, url: "\${DB_URL}"}}
seed: {users: {table: db.users, rows: 5, columns: {id: "user-{n}"}}}
cleanup: {prefix: load-test-user-, settle: 20ms, rows: [{table: db.orders, column: user_id}]}
runners:
  backend: kubernetes
  count: 2
  kubernetes: {image: "\${LOADCTL_IMAGE}", resources: {cpu: 0.1, memory: 256Mi}}
sla: {errors: < 1%}
guards: {allow: [${firstNode}], confirm: false}
`;

/** A database that pods reach by node 1, with rows that a test has left. */
async function database(): Promise<{ readonly url: string; readonly client: pg.Client }> {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('CREATE TABLE users (id text PRIMARY KEY); CREATE TABLE orders (user_id text)');
  await client.query("INSERT INTO orders VALUES ('load-test-user-1'), ('ann')");
  const url = new URL(server.url);
  url.host = await forPods(url.host);
  return { url: String(url), client };
}

/** Has the CronJob's template run once, to its end. */
async function night(space: Namespace, job: string): Promise<JobOver> {
  await space.kubectl(['create', 'job', job, '--from=cronjob/loadctl-nightly']);
  return jobOver(space, job);
}

describe.skipIf(!hasCluster)('the CronJob of deploy/kustomize', () => {
  test('two nights: a directory each on the volume, exit codes as results of Jobs, rows in and out, one run at a time', async () => {
    const { url: dbUrl, client } = await database();
    const target = await targetForPods();
    const space = await namespaceForTest();
    const volume = await volumeFor(space, 'loadctl-runs');
    const files = { 'profiles/nightly.yaml': profile(target.url), 'k6/nightly.js': script };
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'loadctl-runs' },
      spec: { storageClassName: '', volumeName: volume.name },
    };
    const paused = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'loadctl-nightly' }, spec: { suspend: true } };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'loadctl-nightly' }, stringData: { DB_URL: dbUrl } };
    await space.apply(
      secret,
      ...(await kustomized(space.name, files, [{ patch: JSON.stringify(claim) }, { patch: JSON.stringify(paused) }])),
    );

    const first = await night(space, 'night-1');
    expect(first, first.log).toMatchObject({ succeeded: 1, exitCode: 0, condition: 'Complete' });
    expect((await client.query('SELECT user_id FROM orders')).rows).toEqual([{ user_id: 'ann' }]);
    expect((await client.query('SELECT count(*)::int AS n FROM users')).rows).toEqual([{ n: 5 }]);
    const hitsOfFirst = target.hits.get('GET /work') ?? 0;
    expect(hitsOfFirst).toBeGreaterThan(20);

    target.statuses.set('/work', 500);
    const ends = await Promise.all([night(space, 'night-2'), night(space, 'night-3')]);
    const [failed, refused] = ends.sort((one, other) => one.exitCode - other.exitCode);
    expect(failed, failed?.log).toMatchObject({ succeeded: 0, exitCode: 99, condition: 'Failed' });
    expect(failed?.message).toContain('exit code 99');
    expect(refused, refused?.log).toMatchObject({ succeeded: 0, exitCode: 112, condition: 'Failed' });
    expect(refused?.message).toContain('exit code 112');
    expect(refused?.log).toContain(`kubectl delete job ${failed?.job} -n ${space.name}`);

    const runs = (await inNode(1, ['ls', `${volume.folder}/runs`])).split('\n');
    const verdicts = await Promise.all(runs.map((run) => inNode(1, ['cat', `${volume.folder}/runs/${run}/verdict.json`])));
    expect(verdicts.map((text) => JSON.parse(text).verdict)).toEqual(['pass', 'fail']);
    const receipts = await Promise.all(runs.map((run) => inNode(1, ['cat', `${volume.folder}/runs/${run}/receipt.json`])));
    expect(receipts.map((text) => JSON.parse(text).proven)).toEqual([true, true]);
    expect((await space.objects()).filter((one) => /^(secret|job.batch)\/loadctl-/.test(one))).toEqual(['secret/loadctl-nightly']);
  });
});
