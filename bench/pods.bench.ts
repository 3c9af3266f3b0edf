import { expect, test } from 'vitest';
import { eventually } from '../test/cluster/eventually.js';
import { loadctlImage } from '../test/cluster/images.js';
import { targetForPods } from '../test/cluster/target.js';
import { type PodsPlace, podsPlace } from '../test/kubernetes/support/conducted.js';

// On the cluster of the tests, whose nodes share one machine and so one clock:
// - how far apart the runners of 30 pods begin, by the clock at the top of each one's first iteration, over 5 releases;
// - requests/s of k6 in a runner's pod over those of bare k6 in a pod with the same image and resources, run in turn, 7 pairs.
// Usage: npm run bench:pods [-- --testNamePattern 'begin|requests']
const [releases, pods, pairs, seconds, vus] = [5, 30, 7, 10, 4];

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const round = (values: readonly number[], digits: number) => values.map((value) => value.toFixed(digits)).join(' ');

test(`begin: ${releases} releases of ${pods} pods`, async () => {
  const begun = new Map<string, number>();
  const target = await targetForPods((request) => {
    const runner = request.headers['x-runner'];
    if (typeof runner === 'string') begun.set(runner, Math.min(Number(request.headers['x-begun']), begun.get(runner) ?? Infinity));
    return false;
  });
  const script = `
import http from 'k6/http';
import { sleep } from 'k6';
export default () => {
  const begun = String(Date.now());
  http.get(__ENV.BASE_URL + '/work', { headers: { 'X-Runner': __ENV.LOADCTL_RUNNER, 'X-Begun': begun } });
  sleep(1);
};
`;
  const skews: number[] = [];
  const told: number[] = [];
  for (let release = 1; release <= releases; release += 1) {
    begun.clear();
    const resources = '{cpu: 0.01, memory: 200Mi}';
    const at = await podsPlace({ script, target, count: pods, workload: `vus: ${pods}, duration: 3s`, resources });
    const said = await at.loadctl(['run', '--env', 'dev']);
    expect(begun.size, said.stderr).toBe(pods);
    skews.push(Math.max(...begun.values()) - Math.min(...begun.values()));
    told.push(...skewsTold(at));
  }
  console.log(`first iterations of ${pods} pods, apart in ms: ${round(skews, 0)}; median ${median(skews)}; as told: ${round(told, 1)}`);
});

function skewsTold(at: PodsPlace): number[] {
  const lines = at
    .read(`${at.latestRun().slice(at.folder.length + 1)}/events.ndjson`)
    .trim()
    .split('\n');
  const events = lines.map((line) => JSON.parse(line) as { type: string; skewMs?: number });
  return events.flatMap(({ type, skewMs }) => (type === 'start-skew-measured' && skewMs !== undefined ? [skewMs] : []));
}

test(`requests: ${pairs} pairs of a runner and bare k6`, async () => {
  const target = await targetForPods();
  const script = `import http from 'k6/http';\nexport default () => { http.get('${target.url}/work'); };\n`;
  const place = () =>
    podsPlace({
      script,
      target,
      count: 1,
      workload: `vus: ${vus}, duration: ${seconds}s`,
      resources: '{cpu: 0.5, memory: 256Mi}',
    });
  const rates = { runner: [] as number[], bare: [] as number[] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const turns = [async () => rates.runner.push(await rateOfRunner(await place())), async () => rates.bare.push(await rateOfBare(script))];
    for (const turn of pair % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  const ratios = rates.runner.map((rate, pair) => rate / (rates.bare[pair] ?? Number.NaN));
  console.log(
    `requests/s: runner ${round(rates.runner, 0)}; bare ${round(rates.bare, 0)}; ratios ${round(ratios, 3)}; median ${median(ratios).toFixed(3)}`,
  );
});

async function rateOfRunner(at: PodsPlace): Promise<number> {
  const said = await at.loadctl(['run', '--env', 'dev']);
  const summary = at.json<{ metrics: { http_reqs: { values: { count: number } } } }>('summary.json');
  if (summary === undefined) throw new Error(said.stderr);
  return summary.metrics.http_reqs.values.count / seconds;
}

/** The same script in a pod that is nothing but k6. */
async function rateOfBare(script: string): Promise<number> {
  const { space } = await podsPlace({ script });
  const securityContext = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } };
  const command = [
    'sh',
    '-c',
    `cat >/tmp/s.js <<'E'\n${script}\nE\nHOME=/tmp k6 run --quiet --no-usage-report --vus ${vus} --duration ${seconds}s --summary-mode=compact /tmp/s.js`,
  ];
  const resources = { requests: { cpu: '0.5', memory: '256Mi' }, limits: { memory: '256Mi' } };
  const container = { name: 'k6', image: loadctlImage, imagePullPolicy: 'Never', command, resources, securityContext };
  const spec = { restartPolicy: 'Never', containers: [container], securityContext: { seccompProfile: { type: 'RuntimeDefault' } } };
  await space.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec });
  await eventually(60, 'bare k6 is done', async () => {
    const phase = await space.kubectl(['get', 'pod', 'bare', '--output=jsonpath={.status.phase}']);
    return ['Succeeded', 'Failed'].includes(phase) || undefined;
  });
  const said = await space.kubectl(['logs', 'bare']);
  await space.kubectl(['delete', 'pod', 'bare', '--wait=true']);
  const count = /http_reqs[.\s]*:\s*(\d+)/.exec(said)?.[1];
  if (count === undefined) throw new Error(said);
  return Number(count) / seconds;
}
