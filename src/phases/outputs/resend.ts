import { besideIn } from '../../core/beside.js';
import { errorMessage } from '../../core/errors.js';
import type { World } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Redactor } from '../../core/redactor.js';
import { scope } from '../../core/scope.js';
import type { OutputUnit } from '../../core/warnings.js';
import { deliver } from '../../outputs/delivery/deliver.js';
import { amountOf } from '../../outputs/delivery/queue.js';
import { contextOf, openOutput } from '../../outputs/index.js';
import type { Output, Parcel } from '../../outputs/kind/types.js';
import { type Access, withSecrets } from '../../plan/access.js';
import type { PlannedOutput } from '../../plan/outputs.js';
import type { Plan } from '../../plan/plan.js';
import { leaveBacklog, paidOwed, readBacklogs, readOwed } from '../../runs/backlog.js';

/** What became of what an output had not sent; `why` where something is left or lost. */
export interface Resent {
  readonly output: string;
  readonly unit: OutputUnit;
  readonly sent: number;
  readonly left: number;
  readonly lost: number;
  readonly why?: string;
}

/** What is needed to send it. */
export interface Resending {
  readonly plan: Plan;
  readonly access: Access;
  readonly world: World;
  readonly version: string;
  readonly redact: Redactor;
  /** Ends it: what is left stays. */
  readonly signal: AbortSignal;
}

/** An output that takes nothing for so long will not take it now. */
const patienceMs: Milliseconds = 60_000;

/** Sends what the outputs of a run could not, oldest first, by the outputs of these names; what is still left stays in its directory. */
export async function resend(directory: string, resending: Resending): Promise<readonly Resent[]> {
  const [left, owed] = [await readBacklogs(directory), await readOwed(directory)];
  const names = new Set([...left.keys(), ...owed.keys()]);
  const backlogs = [...names].map((name) => [name, [...(left.get(name) ?? []), ...(owed.get(name) ?? [])]] as const);
  const { outputs } = withSecrets(resending.plan, resending.access);
  return Promise.all(
    backlogs.map(async ([name, lines]): Promise<Resent> => {
      const planned = outputs.find((output) => output.name === name);
      if (planned === undefined) {
        return { output: name, unit: 'message', sent: 0, left: lines.length, lost: 0, why: `the profile has no output ${name}` };
      }
      return sendAll(directory, planned, lines.filter(isParcel), resending);
    }),
  );
}

async function sendAll(directory: string, planned: PlannedOutput, parcels: readonly Parcel[], resending: Resending): Promise<Resent> {
  const { plan, world, version, redact, signal } = resending;
  const { clock } = world;
  const { name } = planned;
  const opened = openOutput(planned, contextOf(plan, { version, clock, redact }));
  const output = opened.repeatable ? opened : takenOut(opened, parcels, (rest) => leaveBacklog(directory, name, rest));
  let why: string | undefined;
  const delivery = deliver(output, {
    clock,
    tell: (news) => {
      if (news.is !== 'back') why = news.why;
    },
    // All of it was within bounds when it was kept.
    bounds: { bytes: Number.POSITIVE_INFINITY, ageMs: Number.POSITIVE_INFINITY },
  });
  await scope(async (defer) => {
    const end = besideIn(defer, (error) => {
      why = errorMessage(error);
    })((over) => delivery.run(over));
    delivery.put(parcels);
    await delivery.flushed(patienceMs, signal);
    await end();
  });
  const rest = delivery.rest();
  await leaveBacklog(directory, name, rest);
  await paidOwed(directory, name);
  const [all, left, lost] = [amountOf(parcels, output.unit), amountOf(rest, output.unit), delivery.lost()];
  return { output: name, unit: output.unit, sent: all - left - lost, left, lost, ...(why === undefined ? {} : { why }) };
}

/** What must not be sent twice goes from the backlog one by one: whoever kills this process may begin anew. */
function takenOut(output: Output, parcels: readonly Parcel[], leave: (rest: readonly Parcel[]) => Promise<void>): Output {
  return {
    ...output,
    send: async (parcel, signal) => {
      const answer = await output.send(parcel, signal);
      if (answer.is !== 'later') await leave(parcels.slice(parcels.indexOf(parcel) + 1));
      return answer;
    },
  };
}

/** Whether a line of a kept file is a parcel. */
export function isParcel(line: unknown): line is Parcel {
  return typeof line === 'object' && line !== null && 'id' in line && 'second' in line && 'body' in line && typeof line.body === 'string';
}
