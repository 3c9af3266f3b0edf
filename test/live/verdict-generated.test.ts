import { describe, expect, test } from 'vitest';
import { type FaultPlan, faultPlan } from '../support/fault-plans.js';
import { iterations, loadMs, type SufferedRun, suffer, vusPerRunner } from '../support/fault-run.js';

/** How many runs, and the seed of the first; `LOADCTL_FAULT_RUNS=1 LOADCTL_FAULT_SEED=17` replays number 17. */
const runs = Number(process.env.LOADCTL_FAULT_RUNS ?? 10);
const firstSeed = Number(process.env.LOADCTL_FAULT_SEED ?? 1);

describe('runs that are struck by faults at any moment: the target’s log, the process table and the folder agree with what loadctl says', () => {
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    test(`seed ${seed}`, async () => {
      const plan = faultPlan(seed);
      const run = await suffer(plan);
      const all = `seed ${seed}: ${JSON.stringify({ ...plan, struck: run.struck })}\n${run.said.stdout}\n${run.said.stderr}`;

      checkVerdict(plan, run, all);
      checkNumbers(plan, run, all);
      checkTeardown(plan, run, all);
      await expect.poll(run.left, { message: all, timeout: 6000 }).toBe('');
      if (run.said.code !== null) expect(run.litter(), all).toEqual([]);
      if (!wasOpened(run)) return;
      const verified = await run.at.loadctl(['verify']);
      const word = `${all}\nverify: ${verified.stdout}${verified.stderr}`;
      if (run.said.code === null) expect(verified.code, word).not.toBe(0);
      else expect(verified.code, word).toBe(run.said.code);
      expect(run.litter(), word).toEqual([]);
    });
  }
});

const lethal = ['runner killed', 'runner frozen', 'runner signalled', 'runner halting'];
const harmless = ['clock set', 'slow target'];
const cutting = ['Ctrl-C twice', 'loadctl killed'];

/** A run that was interrupted before it began leaves no directory. */
function wasOpened({ at }: SufferedRun): boolean {
  return at.events().some(({ type }) => type === 'run-opened');
}

function kindsOf({ struck }: SufferedRun): string[] {
  return struck.map(({ kind }) => kind);
}

/** No pass unless a runner came to the planned end and what is missing is allowed; a run without a fault passes. */
function checkVerdict(plan: FaultPlan, run: SufferedRun, all: string): void {
  const { code } = run.said;
  if (plan.setup === 'throws') {
    expect(code, all).not.toBe(0);
    return;
  }
  if (kindsOf(run).every((kind) => harmless.includes(kind))) expect(code, all).toBe(0);
  if (code !== 0) return;
  const outcomes = run.at.events().filter(({ type }) => type === 'runner-ended');
  expect(
    outcomes.some(({ cause, numbers }) => cause === 'reached-end' && numbers === 'own'),
    all,
  ).toBe(true);
  const allowed = plan.onLost === 'continue' ? plan.allowedLoss / 100 : 0;
  expect(missingShare(plan, run), all).toBeLessThanOrEqual(allowed + slackShare);
  if (plan.load !== 'iterations') expect(Math.max(...timesMade(run)), all).toBeGreaterThan(loadMs * (1 - slackShare));
}

/** How exactly the target's log tells how long a runner made load. */
const slackShare = 0.2;
/** Between two answers of one runner it made load, unless more time than this lies between them. */
const longestGapMs = 500;

/** For how long each runner made load, by the target's log. */
function timesMade({ target: { answered } }: SufferedRun): number[] {
  const gaps = ({ times }: { readonly times: readonly number[] }) => times.slice(1).map((time, index) => time - (times[index] ?? 0));
  return [...answered.values()].map((log) => gaps(log).reduce((sum, gap) => sum + (gap > longestGapMs ? 0 : gap), 0));
}

/** The share of the load that the target did not see: of time, or of iterations. */
function missingShare(plan: FaultPlan, run: SufferedRun): number {
  if (plan.load === 'iterations') return 1 - [...run.target.answered.values()].flatMap(({ times }) => times).length / iterations;
  return 1 - timesMade(run).reduce((sum, made) => sum + Math.min(1, made / loadMs), 0) / plan.runners;
}

/** Good answers in the summary are those in the log, but for one a VU, and what lost runners were answered since their last push. */
function checkNumbers(plan: FaultPlan, { at, target: { answered }, said, ...run }: SufferedRun, all: string): void {
  const seen = [...answered.values()].flatMap(({ times }) => times).length;
  const good = summaryOf(at)?.metrics.good?.values.count;
  expect(said.code === 0 && good === undefined, all).toBe(false);
  if (good === undefined) return;
  expect(good, all).toBeLessThanOrEqual(seen);
  const outcomes = at.events().filter(({ type }) => type === 'runner-ended');
  const unknown = outcomes
    .filter(({ numbers }) => numbers !== 'own')
    .map(({ runner = '', numbers }) => {
      const times = answered.get(runner)?.times ?? [];
      const from = numbers === 'none' ? Number.NEGATIVE_INFINITY : (times.at(-1) ?? 0) - sincePushMs;
      return times.filter((time) => time >= from).length;
    });
  const slack = vusPerRunner * plan.runners + unknown.reduce((sum, count) => sum + count, 0);
  expect(seen, `${all}\n${JSON.stringify(run.struck)} ${JSON.stringify(outcomes)}`).toBeLessThanOrEqual(good + slack);
}

/** Runners push five times a second here, and one that is busy may be late. */
const sincePushMs = 1000;

function summaryOf(at: SufferedRun['at']): ReturnType<SufferedRun['at']['summary']> | undefined {
  try {
    return at.summary();
  } catch {
    return undefined; // nothing was measured, or nobody was left to write it
  }
}

/** teardown() runs once where setup() returned, once more for each runner that died in it, and never where setup() threw. */
function checkTeardown(plan: FaultPlan, run: SufferedRun, all: string): void {
  const { hits } = run.target;
  const tornDown = hits.get('GET /torn-down') ?? 0;
  const kinds = kindsOf(run);
  const deaths = kinds.filter((kind) => lethal.includes(kind)).length;
  if (!plan.teardown || plan.setup === 'throws') {
    expect(tornDown, all).toBe(0);
    return;
  }
  expect(tornDown, all).toBeLessThanOrEqual(1 + deaths);
  const alive = run.at.events().some(({ type, cause = '' }) => type === 'runner-ended' && ['reached-end', 'stopped'].includes(cause));
  const reached = !kinds.some((kind) => cutting.includes(kind) || kind === 'dead target') && alive;
  if (reached) expect(tornDown, all).toBeGreaterThanOrEqual(1);
}
