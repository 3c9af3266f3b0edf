import { basename } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasCluster } from '../cluster/cluster.js';
import { targetForPods } from '../cluster/target.js';
import { searchFolder, secretSearch, watchCommandLines } from '../support/secret-search.js';
import { hashesHere, hashesInPod, type PodsPlace, podsPlace, underLoad } from './support/conducted.js';

const imports = `import http from 'k6/http';\nimport { sleep } from 'k6';\n`;
const script = `${imports}
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }
`;
const dev = ['--env', 'dev'];
const endless = 'vus: 6, duration: 60s';

/** Each begins and ends with a word of its own, so that no half of it goes unnoticed. */
const secret = { handed: 'handedFirst83kq @:/?#[]%25&"<é>+ handedLast61zp', mounted: 'mountedFirst52 @:/?#%&"<>+ mountedLast7w' };

describe.skipIf(!hasCluster)('a fleet of pods with its conductor', () => {
  test('passes; the whole directory is here; no secret is in an object, an argument, a log or an event', async () => {
    const variables = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop' },
      stringData: { MOUNTED: secret.mounted, PAUSE: '0.1' },
    };
    const asked = new Set<string>();
    const target = await targetForPods((request) => {
      asked.add(`${request.url}`);
      return false;
    });
    const at = await podsPlace({
      target,
      script: `${imports}
export default () => {
  console.log(__ENV.FIRST, __ENV.SECOND);
  http.get(__ENV.BASE_URL + '/work?first=' + encodeURIComponent(__ENV.FIRST) + '&second=' + encodeURIComponent(__ENV.SECOND));
  sleep(Number(__ENV.PAUSE));
};
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }
`,
      workload: 'vus: 6, duration: 3s, env: {FIRST: "${HANDED}", SECOND: "${MOUNTED}", PAUSE: "${PAUSE}"}',
      kubernetes: 'variables: {secret: shop}',
      profile: 'sla: {errors: < 1%}',
      objects: [variables],
    });
    const search = secretSearch(Object.entries(secret).map(([name, text]) => ({ name, text })));
    const watch = watchCommandLines();
    onTestFinished(watch.stop);
    const run = at.start(['run', ...dev], { HANDED: secret.handed });
    await underLoad(at, run);
    const during = await contentsOf(at);

    const said = await run.said;

    expect(said.code, said.stderr).toBe(0);
    expect(at.json('verdict.json')).toMatchObject({ verdict: 'pass' });
    expect(at.json('summary.json')).toMatchObject({ runners: 3 });
    expect(at.target.hits.get('GET /torn-down')).toBe(1);
    expect(said.stderr).not.toMatch(/unknown/);
    expect([...asked].join('\n')).toContain(`second=${encodeURIComponent(secret.mounted)}`);
    const folder = at.latestRun();
    expect(hashesHere(folder)).toEqual(await hashesInPod(at.space, basename(folder)));
    const texts = [said.stdout, said.stderr, ...during, ...(await contentsOf(at)), ...watch.seen];
    expect(texts.flatMap(search)).toEqual([]);
    expect(searchFolder(folder, search)).toEqual([]);
    expect([...watch.seen].filter((line) => line.includes('k6 run ')).length).toBeGreaterThan(2);
  });

  test('Ctrl-C: load off, torn down once, and what was measured is here', async () => {
    const at = await podsPlace({ script, workload: endless });
    const run = at.start(['run', ...dev]);
    await underLoad(at, run);

    run.process.kill('SIGINT');

    const said = await run.said;
    expect(said.code, said.stderr).toBe(105);
    expect(at.json('verdict.json')).toMatchObject({ verdict: 'interrupted' });
    expect(at.target.hits.get('GET /torn-down')).toBe(1);
    const folder = at.latestRun();
    expect(hashesHere(folder)).toEqual(await hashesInPod(at.space, basename(folder)));
  });

  test('--detach; attach and stop from other folders: the one that attached has the directory', async () => {
    const at = await podsPlace({ script, workload: endless });
    const begun = await at.loadctl(['run', ...dev, '--detach']);
    expect(begun.code, begun.stderr).toBe(0);
    const follower = at.elsewhere();
    const attached = follower.start(['attach', ...dev]);
    await attached.until('the load begins');

    const stopped = await at.elsewhere().loadctl(['stop', ...dev]);

    expect(stopped.code, stopped.stderr).toBe(0);
    const said = await attached.said;
    expect(said.code, said.stderr).toBe(0);
    expect(follower.json('verdict.json')).toMatchObject({ verdict: 'interrupted' });
    expect(at.target.hits.get('GET /torn-down')).toBe(1);
    const folder = follower.latestRun();
    expect(hashesHere(folder)).toEqual(await hashesInPod(at.space, basename(folder)));
  });
});

/** Every object but the Secret that the test made, and what every pod said. */
async function contentsOf({ space }: PodsPlace): Promise<string[]> {
  const { items } = JSON.parse(await space.contents()) as { items: { kind: string; metadata: { name: string } }[] };
  const objects = items.filter(({ kind, metadata }) => !(kind === 'Secret' && metadata.name === 'shop'));
  const pods = objects.filter(({ kind }) => kind === 'Pod').map(({ metadata }) => metadata.name);
  const logs = await Promise.all(pods.map((pod) => space.kubectl(['logs', pod]).catch(() => '')));
  return [...objects.map((object) => JSON.stringify(object)), ...logs];
}
