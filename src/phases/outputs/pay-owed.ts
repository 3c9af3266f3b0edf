import { join } from 'node:path';
import type { RunId } from '../../core/ids.js';
import type { World } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Redactor } from '../../core/redactor.js';
import type { Whole } from '../../core/secrets.js';
import { callAfter } from '../../core/timer.js';
import { contextOf, openOutput } from '../../outputs/index.js';
import type { Output, Parcel } from '../../outputs/kind/types.js';
import type { Plan } from '../../plan/plan.js';
import { paidOwed, readOwed } from '../../runs/backlog.js';
import { listRuns } from '../../runs/find.js';
import { runsRoot } from '../../runs/layout.js';
import { readRunRecord } from '../../runs/record.js';
import { courseOf } from '../../runs/stop.js';
import { isParcel } from './resend.js';

/** What is needed to pay. */
export interface Paying {
  readonly plan: Whole<Plan>;
  readonly world: World;
  readonly version: string;
  readonly redact: Redactor;
  /** Ends it: what is still owed stays. */
  readonly over: AbortSignal;
  /** Hears of each output of a run that owes nothing any more. */
  readonly paid: (run: RunId, output: string) => void;
}

/** Older ones are nobody's incident any more. */
const mostRuns = 50;
const timeoutMs: Milliseconds = 5000;

/** Sends what runs here of the same environment owe whose loadctl was killed: incidents that nobody else would resolve. */
export async function payOwed(paying: Paying): Promise<void> {
  const { world, over } = paying;
  for (const run of (await listRuns(world.cwd)).slice(0, mostRuns)) {
    if (over.aborted) return;
    const directory = join(runsRoot(world.cwd), run);
    const owed = await readOwed(directory).catch(() => new Map<string, readonly unknown[]>());
    if (owed.size > 0 && (await isDead(directory, paying))) await payAll(run, directory, owed, paying);
  }
}

async function isDead(directory: string, { plan, world }: Paying): Promise<boolean> {
  const record = await readRunRecord(directory).catch(() => undefined);
  if (record === undefined || record.environment !== plan.environment) return false;
  return (await courseOf(directory, record, world)) === 'over';
}

async function payAll(run: RunId, directory: string, owed: ReadonlyMap<string, readonly unknown[]>, paying: Paying): Promise<void> {
  const { plan, world, version, redact, paid } = paying;
  for (const [name, lines] of owed) {
    const planned = plan.outputs.find((output) => output.name === name);
    if (planned === undefined) continue;
    const output = openOutput(planned, contextOf(plan, { version, clock: world.clock, redact }));
    if (!(await areTaken(output, lines.filter(isParcel), paying))) continue;
    await paidOwed(directory, name);
    paid(run, name);
  }
}

/** Once each: what is not taken now is owed to the next command, which may have another key. */
async function areTaken(output: Output, parcels: readonly Parcel[], { world, over }: Paying): Promise<boolean> {
  const late = new AbortController();
  const end = () => late.abort();
  const inTime = callAfter(world.clock, timeoutMs, end);
  over.addEventListener('abort', end, { once: true });
  const answers = [];
  for (const parcel of parcels) answers.push(await output.send(parcel, late.signal));
  inTime();
  over.removeEventListener('abort', end);
  return answers.every(({ is }) => is === 'taken');
}
