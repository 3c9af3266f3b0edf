import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Summary } from '../../src/metrics/summary.js';
import { canMakeHosts, startHosts } from '../servers/ssh-hosts.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { scenarios, strikes } from '../support/parity.js';
import { sshProfile } from '../support/ssh-profile.js';
import { startTarget } from '../support/target.js';

const backends = ['local', 'ssh'] as const;
const table = backends.flatMap((backend) => scenarios.map((scenario) => ({ ...scenario, backend })));

test.runIf(canMakeHosts()).each(table)(
  '$backend: $title → $code, $verdict',
  async ({ backend, script, workload, sla, strike, code, verdict, iterations }) => {
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
    if (strike !== undefined) {
      await expect.poll(() => target.hits.get('GET /work') ?? 0, { timeout: 30_000 }).toBeGreaterThan(20);
      if (strike === 'interrupt') run.process.kill('SIGINT');
      else process.kill(pidOf(place, '2'), strikes[strike]);
    }

    const said = await run.said;

    expect([said.code, verdictOf(place)]).toEqual([code, verdict]);
    if (iterations !== undefined) expect([iterationsOf(place), target.hits.get('GET /work') ?? 0]).toEqual([iterations, iterations]);
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

function iterationsOf(place: Workplace): number {
  const file = join(place.latestRun(), 'summary.json');
  const summary = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Pick<Summary, 'metrics'>) : { metrics: {} };
  return summary.metrics.iterations?.values.count ?? 0;
}
