import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { hasCluster } from '../cluster/cluster.js';
import { eventually } from '../cluster/eventually.js';
import { loadctlImage } from '../cluster/images.js';
import { makeNamespace, type Namespace } from '../cluster/namespace.js';
import { targetForPods } from '../cluster/target.js';
import { workplace } from '../support/loadctl.js';
import { apiRelay } from './support/api-relay.js';
import { hashesHere, hashesInPod, type PodsPlace, podsPlace, processesOf, underLoad } from './support/conducted.js';
import { rulesOf } from './support/deployed.js';
import { accountOf, kubeconfigOf } from './support/user.js';

const script = `import http from 'k6/http';
import { sleep } from 'k6';
export default () => { http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } }); sleep(0.1); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down', { tags: { name: 'GET /torn-down' } }); }
`;
const long = { script, workload: 'vus: 2, duration: 5m', count: 1, hastens: true } as const;

/** A step of a loadctl that starts a run: polls of one kind are one step, and connections until the deadline is set are polls. */
function stepsOf(): (call: string) => number {
  const known = new Set<string>();
  return (call) => {
    const kind = call.replace(/namespaces\/[^/]+/, '').replace(/loadctl-[^/]+/, '');
    const isHandIn = kind.endsWith('/portforward') && [...known].some((one) => one.startsWith('PATCH'));
    known.add(isHandIn ? `${kind} hand-in` : kind);
    return known.size;
  };
}

/** Starts a run whose loadctl is killed once the API server has answered this step; undefined where it came to its end before. */
async function killedAt(step: number, namespace: string): Promise<string | undefined> {
  const profile = `
target: {url: "http://host-${step}.test"}
workload: {script: ../s.js, vus: 1, duration: 1s}
runners: {backend: kubernetes, count: 1, kubernetes: {context: test, namespace: ${namespace}, image: "${loadctlImage}"}}
guards: {allow: [127.0.0.1, host-${step}.test], confirm: false}
`;
  const place = workplace({ 'profiles/dev.yaml': profile, 's.js': 'export default () => {};' });
  const stepOf = stepsOf();
  let killed: string | undefined;
  const relay = await apiRelay(join(place.folder, 'kubeconfig'), (call) => {
    if (stepOf(call) < step) return 'passed';
    killed ??= call;
    run.process.kill('SIGKILL');
    return 'lost';
  });
  const run = place.start(['run', '--env', 'dev', '--detach'], { KUBECONFIG: relay.kubeconfig });
  const { stderr } = await run.said;
  if (killed === undefined) expect(stderr).toContain('Conducted in the cluster');
  return killed;
}

/** What became of those that were killed is looked at when the other tests are over: the real waits cost no time. */
let graveyard: { readonly space: Namespace; readonly lastKill: number } | undefined;
const removals: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const remove of removals) await remove();
});

describe.skipIf(!hasCluster)('loadctl is killed', () => {
  test('after each of its calls to the API server, up to the last before its hand-in', async () => {
    const space = await makeNamespace('restricted', [], (remove) => removals.push(remove));
    const killed: string[] = [];
    for (let step = 1; ; step += 1) {
      const call = await killedAt(step, space.name);
      if (call === undefined) break;
      killed.push(call.replace(/^(\w+) .*?\/(\w+)(\/loadctl-[^/]+)?(\/portforward)?$/, '$1 $2$4'));
    }
    graveyard = { space, lastKill: performance.now() };
    const reviews = killed.filter((call) => call.endsWith('selfsubjectaccessreviews')); // of its rights: they make nothing
    expect(killed.slice(0, reviews.length)).toEqual(reviews);
    expect(killed.slice(reviews.length, reviews.length + 3)).toEqual(['POST jobs', 'POST secrets', 'GET pods']);
    expect(killed).toEqual(expect.arrayContaining(['GET jobs', 'PATCH jobs', 'GET pods/portforward']));
    expect(killed.at(-1)).toBe('GET pods/portforward'); // that of the hand-in, of which not a byte came
    expect((await space.objects()).filter((one) => one.startsWith('job.batch/loadctl-')).length).toBeGreaterThan(1);
    // The last one was not killed: its run has no rights, has ended, and would wait to be collected.
    const newest = ['get', 'jobs', '--sort-by=.metadata.creationTimestamp', '--output=jsonpath={.items[-1:].metadata.name}'];
    await space.kubectl(['delete', 'job', await space.kubectl(newest), '--cascade=background']);
  });
});

const conductorOf = async ({ space }: PodsPlace) =>
  (await space.kubectl(['get', 'jobs', '--selector=loadctl/role=conductor', '--output=jsonpath={.items[*].metadata.name}']))
    .split(' ')
    .at(-1) ?? '';

const locksOf = async ({ space }: PodsPlace) => (await space.objects()).filter((one) => one.startsWith('secret/loadctl-lock-'));

describe.skipIf(!hasCluster)('a second run of an environment', () => {
  test('is refused with who has it, from any folder; one that is over lets it begin, and its directory still waits', async () => {
    const at = await podsPlace(long);
    const first = at.start(['run', '--env', 'dev']);
    await underLoad(at, first);
    expect((await locksOf(at)).length).toBe(1);
    const other = at.elsewhere();
    const refused = await other.loadctl(['run', '--env', 'dev'], { USER: 'ann' });
    const name = (await conductorOf(at)).replace('loadctl-', '');
    expect(refused.code).toBe(112);
    expect(refused.stderr).toMatch(new RegExp(`Another run of dev loads [\\d.]+: run ${name}, by \\S+@\\S+\\.`));

    first.process.kill('SIGKILL');
    const listed = await other.loadctl(['runs', '--env', 'dev', '--json']);
    expect(JSON.parse(listed.stdout).runs).toMatchObject([{ run: name, state: 'running' }]);
    const stopped = await other.loadctl(['stop', '--env', 'dev']);
    expect([stopped.code, stopped.stdout]).toEqual([0, expect.stringContaining(`Run ${name} has ended.`)]);
    expect(await locksOf(at)).toEqual([]);
    expect(at.target.hits.get('GET /torn-down')).toBe(1);

    // Two machines at once, each all of it.
    const [one, two] = [other, at.elsewhere()];
    const inPod = await hashesInPod(at.space, name);
    const copies = await Promise.all([one, two].map((place) => place.loadctl(['attach', name, '--env', 'dev'])));
    expect(copies.map(({ code }) => code)).toEqual([0, 0]);
    for (const place of [one, two]) expect(hashesHere(place.latestRun())).toEqual(inPod);
  });

  test('takes over from a conductor that has died, and removes what is left of it; the load of the dead is off', async () => {
    const at = await podsPlace(long);
    const first = at.start(['run', '--env', 'dev', '--detach']);
    await first.said;
    await underLoad(at, { said: new Promise(() => {}) });
    const dead = await conductorOf(at);
    const conductor = (await processesOf(at.space)).find((line) => line.includes('loadctl conduct')) ?? '';
    process.kill(Number(conductor.split(' ')[0]), 'SIGKILL');
    const phase = ['get', 'pods', `--selector=job-name=${dead}`, '--output=jsonpath={.items[*].status.phase}'];
    await eventually(30, 'the cluster knows', async () => ((await at.space.kubectl(phase)) === 'Running' ? undefined : true));
    const second = at.elsewhere().start(['run', '--env', 'dev', '--detach']);
    expect([(await second.said).code, (await second.said).stderr]).toEqual([0, expect.stringContaining('Conducted in the cluster')]);
    expect(await conductorOf(at)).not.toBe(dead);
    expect((await at.space.objects()).filter((one) => one === `job.batch/${dead}`)).toEqual([]);
    expect((await locksOf(at)).length).toBe(1);
  });

  test('kubectl delete job: the load is off within 5 s, and the directory is lost', async () => {
    const at = await podsPlace(long);
    const run = at.start(['run', '--env', 'dev']);
    await underLoad(at, run);
    await at.space.kubectl(['delete', 'job', await conductorOf(at), '--cascade=background']);
    const begun = performance.now();
    const hits = () => at.target.hits.get('GET /work') ?? 0;
    let seen = hits();
    let quietFrom = begun;
    await eventually(8, 'the load is off', () => {
      if (hits() > seen) [seen, quietFrom] = [hits(), performance.now()];
      return performance.now() - quietFrom > 1500 ? true : undefined;
    });
    expect(quietFrom - begun).toBeLessThan(5000);
    const { code, stderr } = await run.said;
    expect([code, stderr]).toEqual([115, expect.stringMatching(/The conductor of run \S+ was lost \(its pod was deleted\)/)]);
  });
});

describe.skipIf(!hasCluster)('the way to the conductor', () => {
  test('breaks again and again: each event is told once, the directory comes whole; Ctrl-C meanwhile says what ends the run', async () => {
    const at = await podsPlace(long);
    const relay = await apiRelay(at.file('kubeconfig', ''));
    const run = at.start(['run', '--env', 'dev', '--json'], { KUBECONFIG: relay.kubeconfig });
    await underLoad(at, run);
    const name = (await conductorOf(at)).replace('loadctl-', '');
    for (let breaks = 0; breaks < 6; breaks += 1) {
      relay.breakAll();
      const before = at.target.hits.get('GET /work') ?? 0;
      await eventually(20, 'the load goes on', () => ((at.target.hits.get('GET /work') ?? 0) > before + 5 + breaks * 3 ? true : undefined));
    }
    relay.isAway = true;
    relay.breakAll();
    run.process.kill('SIGINT');
    await run.until(
      /The stop does not reach the conductor \(.*\); retrying\. If it never does, the load goes on to its planned end, 5m after its start\./,
    );
    relay.isAway = false;
    const { code, stdout } = await run.said;
    expect(code).toBe(105);
    expect(JSON.parse(stdout)).toMatchObject({ run: name });
    const inPod = await hashesInPod(at.space, name);
    expect(hashesHere(at.latestRun())).toEqual(inPod);
    const lines = readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'command-finished').length).toBe(1);
  });

  test('SIGHUP leaves a run that nobody has to follow; under "stop after" it ends by itself, and not where somebody is away for less', async () => {
    const at = await podsPlace({ ...long, kubernetes: 'onClientLost: stop after 6s' });
    const relay = await apiRelay(at.file('kubeconfig', ''));
    const run = at.start(['run', '--env', 'dev'], { KUBECONFIG: relay.kubeconfig });
    await underLoad(at, run);
    relay.isAway = true;
    relay.breakAll();
    await run.until('The conductor is out of reach');
    const away = performance.now();
    await eventually(10, 'it is away for nearly as long as it may be', () => (performance.now() - away > 4500 ? true : undefined));
    relay.isAway = false;
    await eventually(20, 'more load than in all that time', () => {
      const goesOn = performance.now() - away > 10_000;
      return goesOn ? true : undefined;
    });
    expect(JSON.parse((await at.loadctl(['runs', '--env', 'dev', '--json'])).stdout).runs).toMatchObject([{ state: 'running' }]);
    run.process.kill('SIGHUP');
    const { code, stdout } = await run.said;
    expect([code, stdout]).toEqual([105, expect.stringContaining('goes on in the cluster')]);
    await eventually(30, 'it ends by itself', async () => {
      const { runs } = JSON.parse((await at.loadctl(['runs', '--env', 'dev', '--json'])).stdout);
      return runs[0]?.state === 'over' ? true : undefined;
    });
    const copied = await at.loadctl(['attach', '--env', 'dev']);
    expect(copied.code).toBe(0);
    expect(readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8')).toContain('"cause":"unfollowed"');
  });
});

/** With the Role of deploy/, and no other. */
const developer: readonly object[] = accountOf('developer', rulesOf('person.yaml'));

describe.skipIf(!hasCluster)('rights', () => {
  test('a run needs those that are written down, and a password that this machine does not have', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'loadctl-prod' },
      stringData: { SHOP_TOKEN: 'tok-of-prod-only\n' },
    };
    const asks = `import http from 'k6/http';\nexport const options = { vus: 1, iterations: 3 };\nexport default () => { http.get(__ENV.BASE_URL + '/work?t=' + __ENV.TOKEN, { tags: { name: 'GET /work' } }); };`;
    const urls: string[] = [];
    const target = await targetForPods(({ url = '' }) => {
      urls.push(url);
      return false;
    });
    const at = await podsPlace({
      target,
      script: asks,
      workload: 'env: {TOKEN: "${SHOP_TOKEN}"}',
      count: 1,
      hastens: true,
      kubernetes: 'variables: {secret: loadctl-prod}',
      objects: [secret, ...developer],
    });
    const mine = await kubeconfigOf(at.space, 'developer', at.folder);
    const { code, stderr } = await at.loadctl(['run', '--env', 'dev'], { KUBECONFIG: mine });
    expect([code, stderr]).toEqual([0, expect.stringContaining('Conducted in the cluster')]);
    expect(urls.filter((url) => url === '/work?t=tok-of-prod-only').length).toBe(3);
    expect(await locksOf(at)).toEqual([]);
    expect(readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8')).not.toContain('tok-of-prod-only');
  });
});

test.skipIf(!hasCluster)('nothing is left of those that were killed within 3 minutes', async () => {
  const { space, lastKill } = graveyard ?? expect.fail('none was killed');
  const left = 180 - (performance.now() - lastKill) / 1000;
  await eventually(Math.max(1, left), 'nothing is left of those that were killed', async () =>
    (await space.objects()).some((one) => one.includes('loadctl')) ? undefined : true,
  );
  expect(await space.objects()).toEqual(['configmap/kube-root-ca.crt', 'serviceaccount/default']);
});
