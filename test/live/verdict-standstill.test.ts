import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { processesOf } from '../support/agents.js';
import { type FleetPlace, fleetPlace, loadOf } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

type Run = ReturnType<FleetPlace['start']>;

const pidsOf = (at: FleetPlace) => processesOf(at.folder).map((line) => Number.parseInt(line, 10));
const pidOf = (at: FleetPlace, of: string) => at.events().find(({ type, runner }) => type === 'runner-started' && runner === of)?.pid ?? 0;
const loadctlIn = ({ process: { pid = 0 } }: Run) => pid;

/** Stops processes for so long, three times, with half a second between: each time is too short to be lost by it. */
async function halt(pids: readonly number[], stillMs: number): Promise<void> {
  for (let time = 0; time < 3; time += 1) {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await sleep(stillMs);
    for (const pid of pids.toReversed()) process.kill(pid, 'SIGCONT');
    await sleep(500);
  }
}

interface Halting {
  readonly what: string;
  readonly pids: (at: FleetPlace, run: Run) => readonly number[];
  readonly stillMs: number;
  readonly lost: Readonly<Record<string, readonly [from: number, to: number]>>;
}

const whole = [0.15, 0.3] as const; // 1.5 s three times, of 10 s and half of the load

test.each<Halting>([
  { what: 'one runner', pids: (at) => [pidOf(at, '2')], stillMs: 1500, lost: { '2': whole } },
  {
    what: 'loadctl and all that it started',
    pids: (at, run) => [loadctlIn(run), ...pidsOf(at).filter((pid) => pid !== loadctlIn(run))],
    stillMs: 1500,
    lost: { '1': whole, '2': whole },
  },
  { what: 'loadctl alone', pids: (_, run) => [loadctlIn(run)], stillMs: 1200, lost: {} },
])('$what stopped three times, too short each time to be lost', async ({ pids, stillMs, lost }) => {
  const target = await startTarget();
  const script = `export default () => { for (let n = 0; n < 5; n += 1) http.get(__ENV.BASE_URL + '/work'); sleep(0.02); };`;
  const at = fleetPlace(target, { script, workload: 'vus: 8, duration: 10s', profile: 'sla: {errors: < 1%}' });
  const run = at.start(['run', '--env', 'dev']);
  await at.event(loadOf(1000));
  await halt(pids(at, run), stillMs);

  const said = await run.said;
  const all = said.stdout + said.stderr;

  expect(said.code, all).toBe(Object.keys(lost).length === 0 ? 0 : 111);
  const outcomes = at.events().filter(({ type }) => type === 'runner-ended');
  expect(outcomes).toMatchObject(['1', '2'].map((runner) => ({ runner, cause: 'reached-end', numbers: 'own' })));
  for (const { runner = '', lost: share = 0 } of outcomes) {
    const [from, to] = lost[runner] ?? [0, 0];
    expect(share, all).toBeGreaterThanOrEqual(from);
    expect(share, all).toBeLessThanOrEqual(to);
    if (to > 0) expect(said.stdout).toMatch(new RegExp(`Runner ${runner} stood still for [45].*in all: \\d.*% of the load was not made`));
  }
  expect((await at.loadctl(['verify'])).code).toBe(said.code);
});
