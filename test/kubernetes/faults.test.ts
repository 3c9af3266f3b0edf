import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasCluster } from '../cluster/cluster.js';
import { eventually } from '../cluster/eventually.js';
import { cutOff, cutOffFor, cutPower, freeze, killApiServer } from '../cluster/faults.js';
import {
  hashesHere,
  hashesInPod,
  type PodsPlace,
  podOf,
  podsPlace,
  processesIn,
  processesOf,
  runnerOn,
  signalRunner,
  startOnFirst,
  uidOf,
  underLoad,
} from './support/conducted.js';

const script = `
import http from 'k6/http';
import { sleep } from 'k6';
const held = [];
export default () => {
  http.get(__ENV.BASE_URL + '/work');
  if (__ENV.HUNGRY === __ENV.LOADCTL_RUNNER) held.push(new Uint8Array(20e6).fill(1));
  sleep(0.05);
};
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }
`;
const dev = ['--env', 'dev'];
const goesOn = 'onLost: continue, allowedLoss: 80%';

interface Lost {
  readonly type: string;
  readonly at: number;
  readonly runner: string;
  readonly end: Record<string, unknown>;
}

/** The losses that a run has told of, as far as its directory is here. */
function lossesOf(at: Pick<PodsPlace, 'latestRun'>): Lost[] {
  const lines = readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Lost).filter(({ type }) => type === 'runner-lost');
}

/** What was measured, for the table in docs/kubernetes.md. */
const note = (fault: string, ...figures: unknown[]) => console.log(`fault: ${fault}:`, ...figures);

describe.skipIf(!hasCluster)('a fault of a runner', () => {
  test('out of memory; k6 killed; pod deleted: each is told with its cause within 5 s, and the others go on', async () => {
    const at = await podsPlace({
      script,
      count: 4,
      workload: 'vus: 8, duration: 14s, env: {HUNGRY: "4"}',
      runners: goesOn.replace(', ', '\n  '),
      hastens: true,
    });
    const run = at.start(['run', ...dev]);
    await underLoad(at, run);
    const struck = new Map<string, number>();
    const pod = await podOf(at.space, 3);
    struck.set('3', Date.now());
    await at.space.kubectl(['delete', 'pod', pod, '--wait=false']);
    await signalRunner(at.space, 2, 'SIGKILL');
    struck.set('2', Date.now());

    const said = await run.said;

    const losses = lossesOf(at);
    note(
      'three runners',
      said.code,
      losses.map(({ runner, at: when, end }) => [runner, when - (struck.get(runner) ?? when), end]),
    );
    expect(Object.fromEntries(losses.map(({ runner, end }) => [runner, end]))).toEqual({
      2: { cause: 'killed', signal: 'SIGKILL' },
      3: { cause: 'out-of-reach', said: 'its pod was deleted' },
      4: { cause: 'killed', signal: 'SIGKILL', said: 'out of memory: killed at the memory limit of its pod' },
    });
    for (const { runner, at: when } of losses) expect(when - (struck.get(runner) ?? when)).toBeLessThan(5000);
    expect(at.target.hits.get('GET /torn-down')).toBe(1);
    expect(at.json('verdict.json')).toMatchObject({ verdict: 'pass' }); // the profile allows this loss
    expect(said.code, said.stderr).toBe(0);
  });
});

describe.skipIf(!hasCluster)('a fault of the cluster', () => {
  test('a kubelet frozen, a node cut off for 2 s, the API server away for 10 s: the run goes on, and all runners count', async () => {
    const at = await podsPlace({ script, workload: 'vus: 6, duration: 22s', profile: 'sla: {errors: < 5%}', hastens: true });
    const run = await startOnFirst(at);
    await underLoad(at, run);
    const thaw = await freeze(3, 'kubelet');
    await cutOffFor(2, 2);
    const back = await killApiServer();
    await sleep(10_000);
    const isBack = back();

    const said = await run.said;
    await Promise.all([thaw(), isBack]);

    note('three faults that a run outlives', said.code, lossesOf(at), said.stderr.match(/.*(away|out of reach|tried again).*/gi));
    expect(said.code, said.stderr).toBe(0);
    expect(at.json('summary.json')).toMatchObject({ runners: 3 });
    expect(hashesHere(at.latestRun())).toEqual(await hashesInPod(at.space, basename(at.latestRun())));
  });

  test("a node cut off for 7 s: its runner is given up and gone within 5 s; another node's power cut: the same", async () => {
    const at = await podsPlace({ script, workload: 'vus: 6, duration: 30s', runners: goesOn.replace(', ', '\n  '), hastens: true });
    const run = await startOnFirst(at);
    await underLoad(at, run);
    const [cut, dark] = [await runnerOn(at.space, 2), await runnerOn(at.space, 3)];
    const uid = await uidOf(at.space, cut);
    const loads = () => processesIn([uid]).filter((line) => line.includes('k6 run '));
    expect(loads()).toHaveLength(1);
    const cutAt = Date.now();
    const reconnect = await cutOff(2);
    await eventually(7, 'the runner of the node that is cut off has ended itself', () => (loads().length === 0 ? true : undefined));
    const fenced = Date.now() - cutAt;
    await sleep(Math.max(0, 7000 - (Date.now() - cutAt)));
    await reconnect();
    await cutOff(3); // without it the kernel of this one machine would still take leave of all connections
    const darkAt = Date.now();
    const power = await cutPower(3);

    const said = await run.said;
    await power();

    const losses = lossesOf(at);
    const after = (runner: number, since: number) => (losses.find((lost) => lost.runner === String(runner))?.at ?? Number.NaN) - since;
    note('cut off for 7 s', { fenced, noticed: after(cut, cutAt) }, losses);
    note('power cut', { noticed: after(dark, darkAt) }, said.code);
    expect(losses.map(({ runner }) => runner)).toEqual([String(cut), String(dark)]);
    expect(fenced).toBeLessThan(5000);
    expect(after(cut, cutAt)).toBeLessThan(6000);
    expect(after(dark, darkAt)).toBeLessThan(7000);
    for (const { end } of losses) expect(['silent', 'out-of-reach']).toContain(end.cause); // whichever is told first
    expect(said.code, said.stderr).toBe(0); // the profile allows this loss
  });

  test('the conductor is killed: load off within 5 s, 115, and nothing stays', async () => {
    const at = await podsPlace({ script, workload: 'vus: 6, duration: 60s' });
    const run = at.start(['run', ...dev]);
    await underLoad(at, run);
    const load = () => processesOf(at.space).then((lines) => lines.filter((line) => line.includes('k6 run ')));
    const [conductor] = (await processesOf(at.space)).filter((line) => line.includes('loadctl conduct'));
    expect(await load()).toHaveLength(3);

    const killed = Date.now();
    process.kill(Number(conductor?.split(' ')[0]), 'SIGKILL');

    await eventually(6, 'no k6 runs any more', async () => ((await load()).length === 0 ? true : undefined));
    const fenced = Date.now() - killed;
    const said = await run.said;
    note('conductor killed', { fenced, told: Date.now() - killed }, said.code, said.stderr.split('\n').slice(-4));
    expect(fenced).toBeLessThan(5000);
    expect(said.code).toBe(115);
    expect(said.stderr).toMatch(/The conductor of run \S+ was lost/);
    expect(at.target.hits.get('GET /torn-down')).toBeUndefined();
  });

  test('loadctl is killed in mid-run: attach from another folder brings the whole directory', async () => {
    const at = await podsPlace({ script, workload: 'vus: 6, duration: 12s', profile: 'sla: {errors: < 5%}', hastens: true });
    const run = at.start(['run', ...dev]);
    await underLoad(at, run);
    run.process.kill('SIGKILL');
    await run.said;
    const other = at.elsewhere();

    const said = await other.loadctl(['attach', ...dev]);

    note('loadctl killed', said.code);
    expect(said.code, said.stderr).toBe(0);
    expect(other.json('verdict.json')).toMatchObject({ verdict: 'pass' });
    expect(hashesHere(other.latestRun())).toEqual(await hashesInPod(at.space, basename(other.latestRun())));
    expect(at.target.hits.get('GET /torn-down')).toBe(1);
  });
});
