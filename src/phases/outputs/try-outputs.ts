import { errorMessage } from '../../core/errors.js';
import type { Stamp } from '../../core/events.js';
import type { World } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { Redactor } from '../../core/redactor.js';
import { callAfter } from '../../core/timer.js';
import { contextOf, openOutput } from '../../outputs/index.js';
import type { Output, Parcel, Trial } from '../../outputs/kind/types.js';
import { type Access, withSecrets } from '../../plan/access.js';
import type { PlannedOutput } from '../../plan/outputs.js';
import type { Plan } from '../../plan/plan.js';

/** What came of a test of an output. */
export interface Tried {
  readonly output: string;
  readonly kind: PlannedOutput['kind'];
  /** `found`: it was looked for there; `pages`: not tried, as it would page somebody; `nothing`: it sends nothing. */
  readonly is: 'found' | 'taken' | 'failed' | 'pages' | 'nothing';
  readonly why?: string;
}

/** What is needed to try outputs. */
export interface Trying {
  readonly plan: Plan;
  readonly access: Access;
  readonly world: Pick<World, 'clock' | 'who'>;
  readonly version: string;
  readonly redact: Redactor;
  /** The only output to try, and whoever is paged by it knows that. */
  readonly only?: string;
}

/** An answer, and the look whether it is there, may take so long. */
const timeoutMs: Milliseconds = 20_000;

/** Sends a test through each output that no one is paged by, or through one alone, and looks for it where it can. Never rejects. */
export async function tryOutputs({ plan, access, world, version, redact, only }: Trying): Promise<readonly Tried[]> {
  const { outputs } = withSecrets(plan, access);
  const asked = outputs.filter(({ name }) => only === undefined || name === only);
  return Promise.all(
    asked.map(async (planned): Promise<Tried> => {
      const said = { output: planned.name, kind: planned.kind };
      if (planned.kind === 'pagerduty' && only === undefined) return { ...said, is: 'pages' };
      const output = openOutput(planned, contextOf(plan, { version, clock: world.clock, redact }));
      return { ...said, ...(await tryOne(output, trialOf(plan, world, planned.name), world)) };
    }),
  );
}

/** A message that says what it is, and by whom. */
function trialOf({ environment }: Plan, { clock, who }: Trying['world'], name: string): Trial {
  const { at, t }: Stamp = { at: clock.stamp(), t: clock.elapsed() };
  return {
    testid: `doctor-${name}-${at}`,
    message: {
      occasion: 'test',
      environment,
      at,
      t,
      title: `loadctl reaches this place: a test of the output ${name} of ${environment}`,
      facts: [{ name: 'by', value: `${who.user} on ${who.host}` }],
      lines: [],
    },
  };
}

async function tryOne(output: Output, trial: Trial, { clock }: Trying['world']): Promise<Pick<Tried, 'is' | 'why'>> {
  const parcels = output.trial(trial);
  if (parcels.length === 0) return { is: 'nothing' };
  const late = new AbortController();
  const inTime = callAfter(clock, timeoutMs, () => late.abort());
  try {
    for (const parcel of parcels) {
      const why = await refusal(output, parcel, late.signal);
      if (why !== undefined) return { is: 'failed', why };
    }
    if (output.lookFor === undefined) return { is: 'taken' };
    const why = await output.lookFor(trial, late.signal).catch((error: unknown) => errorMessage(error));
    return why === undefined ? { is: 'found' } : { is: 'failed', why };
  } finally {
    inTime();
  }
}

async function refusal(output: Output, parcel: Parcel, signal: AbortSignal): Promise<string | undefined> {
  const answer = await output.send(parcel, signal);
  return answer.is === 'taken' ? answer.lost : answer.why;
}
