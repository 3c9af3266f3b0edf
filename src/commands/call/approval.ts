import { LoadctlError } from '../../core/errors.js';
import type { Emit, Preview } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import { previewStores } from '../../phases/data/preview.js';
import type { KnownTest } from '../../phases/run/inspect-test.js';
import { lookUpLive } from '../../phases/target/live-colour.js';
import { withSecrets } from '../../plan/access.js';
import { checkGuards, unconfirmed as confirmRefusal, isConfirmation, needsConfirmation, type Refusal } from '../../plan/guards.js';
import { foreseenLoad } from '../../plan/inspection.js';
import type { Plan } from '../../plan/plan.js';
import { type LoadTarget, loadTarget, shownTarget } from '../../plan/target.js';
import { unbuiltWords } from '../../plan/unbuilt.js';
import type { Deed, PlanNotes } from '../../reporters/plan-table.js';
import { knowTest } from './foresee.js';
import { planNotes } from './plan-notes.js';
import type { Planned } from './profile.js';
import { askQuestion } from './question.js';
import type { Call } from './types.js';

/** What a call is about to do with what the plan names. */
export interface Act {
  readonly does: readonly Deed[];
  /** Seeded rows are to go, too. */
  readonly seeded?: boolean;
  /** The id of the run; without it a new one is made. */
  readonly run?: RunId;
  /** It only looks: nobody has to confirm that. */
  readonly changesNothing?: boolean;
}

/** A call that may go on. */
export interface Approved {
  /** Where load would go. */
  readonly target: LoadTarget;
  /** The test, where load is made. */
  readonly known?: KnownTest;
}

/**
 * Lets a call go on, or refuses it before anything was sent: what is not built, then every guard that needs no look at
 * anything, then which colour is live, then what k6 says of the script, then the person at the terminal, who is shown what
 * it will touch and types the environment's name back. Throws `unavailable`, `refused`, or what is wrong with the script.
 */
export async function approve(call: Call, planned: Planned, act: Act, means: { emit: Emit; signal: AbortSignal }): Promise<Approved> {
  const approved = await checkFirst(call, planned, act, means);
  if (!needsAnswer(call, planned, act)) return approved;
  const { plan } = planned;
  const { shown, asked } = await previewOf(call, planned, { act, approved, signal: means.signal });
  const typed = await askQuestion(call, { shown, prompt: `Type the environment's name to continue (${plan.environment}): ` }, means);
  if (typed?.trim() !== plan.environment) throw unconfirmed(call, planned, { target: approved.target, typed, asked });
  return approved;
}

/** Whether somebody has yet to say that an act is meant. */
export function needsAnswer(
  { shell }: Pick<Call, 'shell'>,
  { plan, loaded: { profile } }: Planned,
  { changesNothing = false }: Act,
): boolean {
  return !changesNothing && !isConfirmation(shell.env.LOADCTL_CONFIRM, plan) && needsConfirmation(plan, profile);
}

/** The refusal of what nobody has confirmed. */
export function unconfirmed(
  call: Pick<Call, 'shell'>,
  { plan }: Planned,
  { target, typed, asked = [] }: { readonly target: LoadTarget; readonly typed?: string | undefined; readonly asked?: readonly string[] },
): LoadctlError {
  const { guard, message, fix } = confirmRefusal(plan, whatWasSaid(call, typed));
  return refusal(plan, guard, onlyLookedUp(target, asked), { message, hint: fix });
}

/** The part of {@link approve} that asks nobody, and looks at no database. */
export async function checkFirst(call: Call, planned: Planned, act: Act, means: { emit: Emit; signal: AbortSignal }): Promise<Approved> {
  const { plan, loaded } = planned;
  const { profile } = loaded;
  const { signal } = means;
  const makesLoad = act.does.includes('load');
  refuseUnbuilt(planned, act);
  refuseFor(plan, checkGuards(plan, profile, { makesLoad, confirmed: true }), nothingSent);
  const reachesTarget = makesLoad || act.does.includes('ask');
  const target = reachesTarget ? await findTarget(call, planned, signal) : loadTarget(withSecrets(plan, planned.access));
  const known = makesLoad ? await knowTest(call, planned, target, { ...means, ...act }) : undefined;
  const load = known && foreseenLoad(known.inspection);
  refuseFor(plan, checkGuards(plan, profile, { makesLoad, confirmed: true }, load), onlyLookedUp(target, []));
  return { target, ...(known === undefined ? {} : { known }) };
}

function whatWasSaid({ shell }: Pick<Call, 'shell'>, typed: string | undefined): string | undefined {
  if (typed !== undefined) return 'The name typed does not match.';
  return (shell.env.LOADCTL_CONFIRM ?? '') === '' ? undefined : 'LOADCTL_CONFIRM is for another plan.';
}

/** Behind colours the load goes to the one that is not live. */
async function findTarget({ shell }: Call, { plan, access }: Planned, signal: AbortSignal): Promise<LoadTarget> {
  const whole = withSecrets(plan, access);
  if (!('live' in whole.target)) return loadTarget(whole);
  const means = { world: shell, folder: access.machine.folder, userAgent: 'loadctl/guard', signal };
  try {
    return loadTarget(whole, await lookUpLive(whole.target.live, means));
  } catch (error) {
    if (!(error instanceof LoadctlError) || error.reason !== 'refused') throw error;
    throw refusal(plan, 'live-colour', 'nothing was sent but its own look-up', error);
  }
}

/** What a person is shown before he confirms, and the stores that were asked for it. */
async function previewOf(
  call: Call,
  planned: Planned,
  { act, approved, signal }: { readonly act: Act; readonly approved: Approved; readonly signal: AbortSignal },
): Promise<{ readonly shown: Preview; readonly asked: readonly string[] }> {
  const { target, known } = approved;
  const intent = { seeds: act.does.includes('seed'), cleans: act.does.includes('cleanup'), seeded: act.seeded === true };
  const preview = await previewStores({ profile: planned.loaded.profile, world: call.shell, signal }, intent);
  const foreseen = known && { inspection: known.inspection, load: foreseenLoad(known.inspection), fetched: [] };
  const notes: PlanNotes = {
    ...planNotes(call, planned, foreseen),
    refusals: [],
    does: act.does,
    seeded: intent.seeded,
    setOff: preview.lines,
    ...(target.colour === undefined ? {} : { target: shownTarget(target) }),
  };
  return { shown: { kind: 'plan', plan: { ...planned.plan, script: planned.script }, notes }, asked: preview.asked };
}

function refuseUnbuilt({ plan, loaded, backend }: Planned, { does }: Act): void {
  const [first] = does.includes('load') ? unbuiltWords(loaded.profile, backend) : [];
  if (first === undefined) return;
  throw new LoadctlError('unavailable', `${first.word}: ${first.message}`, {
    hint: `Nothing was sent. Change it for this call with --set runners.backend=local, or see loadctl plan --env ${plan.environment}`,
  });
}

const nothingSent = 'nothing was sent';

function onlyLookedUp({ colour }: LoadTarget, asked: readonly string[]): string {
  const looks = [
    ...(colour === undefined ? [] : ['which colour is live']),
    ...(asked.length === 0 ? [] : [`triggers and cascades in ${asked.join(', ')}`]),
  ];
  return looks.length === 0 ? nothingSent : `${nothingSent} but look-ups (${looks.join('; ')})`;
}

function refuseFor(plan: Plan, refusals: readonly Refusal[], sent: string): void {
  const [first, ...others] = refusals;
  if (first === undefined) return;
  if (others.length === 0) throw refusal(plan, first.guard, sent, { message: first.message, hint: first.fix });
  throw new LoadctlError('refused', `${refusals.length} guards refuse this on ${plan.environment}; ${sent}.`, {
    lines: refusals.flatMap(({ guard, message, fix }) => [`${guard}: ${message}`, `  ${fix}`]),
    hint: 'Satisfy each of them, in the profile.',
  });
}

function refusal(
  { environment }: Plan,
  guard: string,
  sent: string,
  { message, hint }: { readonly message: string; readonly hint: string | undefined },
): LoadctlError {
  return new LoadctlError('refused', `The guard \`${guard}\` refuses this on ${environment}; ${sent}. ${message}`, {
    ...(hint === undefined ? {} : { hint }),
  });
}
