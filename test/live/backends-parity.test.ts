import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canMakeHosts, startHosts } from '../servers/ssh-hosts.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { endlessScript, oneMinute, sshProfile } from '../support/ssh-profile.js';
import { startTarget } from '../support/target.js';

const script = (body: string) => `import http from 'k6/http';\nimport exec from 'k6/execution';\n${body}`;
const work = `http.get(__ENV.BASE_URL + '/work');`;

interface Scenario {
  readonly title: string;
  readonly script: string;
  readonly workload?: string;
  readonly sla?: string;
  /** What is done to it once there is load. */
  readonly disturb?: (run: { place: Workplace; process: { kill(signal: NodeJS.Signals): boolean } }) => void;
  readonly code: number;
  readonly verdict: string | undefined;
}

const scenarios: Scenario[] = [
  {
    title: 'it passes',
    script: script(`export const options = { vus: 4, iterations: 40 };\nexport default () => { ${work} };`),
    sla: '{errors: < 1%}',
    code: 0,
    verdict: 'pass',
  },
  {
    title: 'a threshold fails',
    script: script(
      `export const options = { vus: 4, iterations: 40, thresholds: { http_reqs: ['count>1000'] } };\nexport default () => { ${work} };`,
    ),
    code: 99,
    verdict: 'fail',
  },
  {
    title: 'setup throws',
    script: script(`export function setup() { throw new Error('boom'); }\nexport default () => { ${work} };`),
    code: 107,
    verdict: 'invalid',
  },
  {
    title: 'test.abort()',
    script: script(
      `export const options = { vus: 4, duration: '60s' };\nexport default () => { ${work} if (exec.vu.iterationInInstance > 5) exec.test.abort('enough'); };`,
    ),
    code: 108,
    verdict: 'interrupted',
  },
  {
    title: 'a runner is killed',
    script: endlessScript,
    workload: oneMinute,
    disturb: ({ place }) => process.kill(pidOf(place, '2'), 'SIGKILL'),
    code: 111,
    verdict: 'invalid',
  },
  {
    title: 'a runner is frozen',
    script: endlessScript,
    workload: oneMinute,
    disturb: ({ place }) => process.kill(pidOf(place, '2'), 'SIGSTOP'),
    code: 111,
    verdict: 'invalid',
  },
  {
    title: 'Ctrl-C',
    script: endlessScript,
    workload: oneMinute,
    disturb: ({ process }) => process.kill('SIGINT'),
    code: 105,
    verdict: 'interrupted',
  },
];

const backends = ['local', 'ssh'] as const;
const table = backends.flatMap((backend) => scenarios.map((scenario) => ({ ...scenario, backend })));

test.runIf(canMakeHosts()).each(table)(
  '$backend: $title → $code, $verdict',
  async ({ backend, script, workload, sla, disturb, code, verdict }) => {
    const network = await startHosts(backend === 'ssh' ? [{ name: 'h1' }, { name: 'h2' }] : []);
    const target = await startTarget(undefined, network.address);
    const runners = backend === 'ssh' ? '' : 'backend: local';
    const profile = sshProfile(target.url, network, {
      count: 2,
      ...(workload === undefined ? {} : { workload }),
      ...(sla === undefined ? {} : { more: `sla: ${sla}` }),
    });
    const place = workplace({ 'profiles/dev.yaml': backend === 'ssh' ? profile : localOf(profile, runners), 'script.js': script });
    const run = place.start(['run', '--env', 'dev']);
    if (disturb !== undefined) {
      await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
      disturb({ place, process: run.process });
    }

    const said = await run.said;

    expect([said.code, verdictOf(place)]).toEqual([code, verdict]);
    expect(network.hosts.flatMap(({ left, k6 }) => [...left(), ...k6()])).toEqual([]);
  },
);

function localOf(profile: string, runners: string): string {
  return profile.replace(/^ {2}backend: ssh\n {2}hosts: .*\n {2}sshConfig: .*$/m, `  ${runners}`);
}

function pidOf(place: Workplace, runner: string): number {
  const events = readFileSync(join(place.latestRun(), 'events.ndjson'), 'utf8').trim().split('\n');
  const started = events.map((line) => JSON.parse(line) as { type: string; runner?: string; pid?: number });
  return started.find((event) => event.type === 'runner-started' && event.runner === runner)?.pid ?? 0;
}

function verdictOf(place: Workplace): string | undefined {
  const file = join(place.latestRun(), 'verdict.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { verdict: string }).verdict : undefined;
}
