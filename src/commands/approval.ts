import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorCode, LoadctlError } from '../core/errors.js';
import { checkGuards, isConfirmation, needsConfirmation, type Refusal, shortHash } from '../plan/guards.js';
import type { Plan } from '../plan/plan.js';
import { unbuiltWords } from '../plan/unbuilt.js';
import { renderPlan } from '../reporters/plan-table.js';
import { planNotes } from './plan.js';
import type { Planned } from './profile.js';
import { tableStyle } from './style.js';
import type { Call } from './types.js';

/** What a call is about to do to whatever the plan names. */
export interface Act {
  readonly makesLoad: boolean;
  readonly touchesData: boolean;
  /** It only looks: nobody has to confirm that. */
  readonly changesNothing?: boolean;
}

/**
 * Lets a call go on, or refuses it before anything was sent: what is not built, then every guard, then the person at
 * the terminal, who types the environment's name back. Throws `unavailable` or `refused`.
 */
export async function approve(call: Call, planned: Planned, act: Act, signal: AbortSignal): Promise<void> {
  const { plan, loaded } = planned;
  refuseUnbuilt(planned, act);
  const guarded = (confirmed: boolean) => checkGuards(plan, loaded.profile, { makesLoad: act.makesLoad, confirmed });
  refuseFor(plan, guarded(true));
  if (act.changesNothing || !needsConfirmation(plan, loaded.profile) || isConfirmation(call.shell.env.LOADCTL_CONFIRM, plan)) return;
  call.shell.stderr.write(
    call.redact(`${renderPlan(plan, { ...planNotes(call, planned), refusals: [] }, await tableStyle(call, 'stderr'))}\n`),
  );
  const typed = await call.shell.ask(`Type the environment's name to go on (${plan.environment}): `, signal);
  refuseFor(plan, guarded(typed?.trim() === plan.environment));
}

function refuseUnbuilt({ plan, loaded }: Planned, { makesLoad, touchesData }: Act): void {
  const stopping = unbuiltWords(loaded.profile).filter(
    ({ stops }) => (makesLoad && stops.includes('load')) || (touchesData && stops.includes('data')),
  );
  const [first] = stopping;
  if (first === undefined) return;
  const all = stopping.map(({ word, message }) => `${word}: ${message}`);
  const message = all.length === 1 ? (all[0] ?? '') : `${all.length} words of the profile are not built yet.`;
  throw new LoadctlError('unavailable', message, {
    lines: all.length === 1 ? [] : all,
    hint: `Nothing was sent. Change it for this call with --set, or look at it: loadctl plan --env ${plan.environment}`,
  });
}

function refuseFor({ environment }: Plan, refusals: readonly Refusal[]): void {
  const [first, ...others] = refusals;
  if (first === undefined) return;
  const count = others.length === 0 ? 'A guard refuses this' : `${refusals.length} guards refuse this`;
  throw new LoadctlError('refused', `${count} on ${environment}; nothing was sent. ${others.length === 0 ? first.message : ''}`.trim(), {
    lines: others.length === 0 ? [] : refusals.flatMap(({ guard, message, fix }) => [`${guard}: ${message}`, `  ${fix}`]),
    hint: others.length === 0 ? first.fix : 'Satisfy each of them, in the profile.',
  });
}

/** The plan that `plan --out` wrote; what was approved there is what may run. Throws `usage` for another file. */
export async function readPlanFile(call: Call, file: string): Promise<Plan> {
  const path = resolve(call.shell.cwd, file);
  try {
    const plan = JSON.parse(await readFile(path, 'utf8')) as Partial<Plan>;
    if (plan.version === 1 && typeof plan.hash === 'string' && typeof plan.environment === 'string') return plan as Plan;
  } catch (cause) {
    if (errorCode(cause) !== undefined)
      throw new LoadctlError('usage', `The plan ${file} cannot be read (${errorCode(cause)}).`, {
        cause,
        hint: 'Name a file of `loadctl plan --out FILE`.',
      });
  }
  throw new LoadctlError('usage', `${file} is no plan.`, { hint: 'Name a file of `loadctl plan --out FILE`.' });
}

/** Throws `refused` where the profile makes another plan by now than the approved one. */
export function refuseOtherPlan(approved: Plan, { plan }: Planned): void {
  if (approved.hash === plan.hash) return;
  throw new LoadctlError(
    'refused',
    `The plan has changed since it was approved: ${shortHash(approved.hash)} then, ${shortHash(plan.hash)} now.`,
    {
      hint: 'Plan again with the same variables set, have it approved, and run that.',
    },
  );
}
