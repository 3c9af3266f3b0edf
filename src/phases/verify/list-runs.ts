import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { RunId } from '../../core/ids.js';
import type { World } from '../../core/os.js';
import type { Verdict, VerdictWord } from '../../core/verdict.js';
import { measuredNumbers } from '../../metrics/endpoint-numbers.js';
import type { ListedRun } from '../../reporters/runs-table.js';
import { layoutVersion, runFiles, runsRoot } from '../../runs/layout.js';
import type { RunWatcher } from '../../runs/lock.js';
import { damaged, madeOf, readEvents, readJson } from '../../runs/read.js';
import { environmentOf, type RunRecord, readRunRecord } from '../../runs/record.js';
import { misfit } from '../../runs/shape.js';
import { courseOf } from '../../runs/stop.js';
import { judgeRun, readSummary } from './judgement.js';

const stateOf = { pass: 'passed', fail: 'failed', invalid: 'invalid', interrupted: 'interrupted' } as const satisfies Record<
  VerdictWord,
  string
>;

/** What is known of a run at a glance; of one of another layout its stored verdict alone. */
export async function listedRun(run: RunId, world: RunWatcher & Pick<World, 'cwd' | 'clock'>): Promise<ListedRun> {
  const directory = join(runsRoot(world.cwd), run);
  try {
    return await madeOf(directory, () => lookAt(run, directory, world));
  } catch (error) {
    if (error instanceof LoadctlError) return { run, environment: '', state: 'damaged', why: error.message };
    throw error;
  }
}

async function lookAt(run: RunId, directory: string, world: RunWatcher): Promise<ListedRun> {
  const written = await readVerdict(directory);
  const environment = (await environmentOf(directory)) ?? '';
  if (written === undefined && (await courseOf(directory, await readRunRecord(directory), world)) !== 'over')
    return { run, environment, state: 'running', ...(await soFar(directory)) };
  const { verdict, reasons } = written ?? (await judgeRun(directory)).verdict;
  const why = verdict === 'pass' ? undefined : reasons[0];
  return { run, environment, state: stateOf[verdict], ...(await glance(directory)), ...(why === undefined ? {} : { why }) };
}

/** verdict.json as it was written; undefined where it is missing. Throws `unavailable` for a damaged one. */
async function readVerdict(directory: string): Promise<Verdict | undefined> {
  const verdict = (await readJson(directory, runFiles.verdict)) as Verdict | undefined;
  if (verdict === undefined) return undefined;
  const wrong =
    misfit(verdict, { verdict: 'text', reasons: 'list' }) ?? (Object.hasOwn(stateOf, verdict.verdict) ? undefined : 'verdict is none');
  if (wrong !== undefined) throw damaged(join(directory, runFiles.verdict), wrong);
  return verdict;
}

type Glance = Pick<ListedRun, 'startedAt' | 'durationMs' | 'vus' | 'p95'>;

/** How long it has been running by what it told last: its clock and ours may differ. */
async function soFar(directory: string): Promise<Glance> {
  const last = (await readEvents(directory)).at(-1);
  return { ...begun(await readRunRecord(directory)), ...(last === undefined ? {} : { durationMs: last.t }) };
}

/** The numbers are those of the judged window; the duration is the load's. */
async function glance(directory: string): Promise<Glance> {
  const record = (await readJson(directory, runFiles.run)) as Partial<RunRecord> | undefined;
  if (record?.version !== layoutVersion || record.plan === undefined) return {};
  const summary = await readSummary(directory);
  if (summary === undefined) return begun(record);
  const p95 = measuredNumbers(summary, record.plan.steady).all.latency?.p95.value;
  const most = summary.metrics.vus_max?.values;
  const vus = record.plan.load?.vus ?? most?.max ?? most?.value;
  return {
    ...begun(record),
    durationMs: summary.durationMs,
    ...(vus === undefined ? {} : { vus }),
    ...(p95 === undefined ? {} : { p95 }),
  };
}

function begun({ startedAt, plan }: Partial<RunRecord>): Glance {
  const vus = plan?.load?.vus;
  return {
    ...(startedAt === undefined ? {} : { startedAt: new Date(startedAt).toISOString() }),
    ...(vus === undefined ? {} : { vus }),
  };
}
