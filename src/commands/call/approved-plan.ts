import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { errorCode, LoadctlError } from '../../core/errors.js';
import { canonicalJson } from '../../plan/canonical.js';
import { shortHash } from '../../plan/guards.js';
import { type Plan, planVersion } from '../../plan/plan.js';
import type { ProfileSource } from '../../profile/find.js';
import { textOption } from './options.js';
import type { Planned } from './profile.js';
import type { Call } from './types.js';

/** The option `--plan` of every command that carries a plan out. */
export function withPlanOption(command: Command): Command {
  return command.option('--plan <FILE>', 'run only the plan in FILE (from `loadctl plan --out`)');
}

/** What `--plan` asks for: the profile that the plan was made from, and that this plan is carried out and no other. */
export interface ApprovedPlan {
  readonly fallback?: ProfileSource;
  /**
   * Hands back what is carried out: the approved plan, where there is one. Throws `refused` where the profile, the script,
   * `--set`, `-e` or a variable make another plan by now.
   */
  readonly decide: (planned: Planned) => Planned;
}

/**
 * Reads the plan that a call names with `--plan`; without one, what the call itself plans may be done. Throws `usage` for
 * another file, `refused` for a plan of another version.
 */
export async function approvedPlan(call: Call): Promise<ApprovedPlan> {
  const file = textOption(call.options, 'plan');
  if (file === undefined) return { decide: (planned) => planned };
  const approved = await readPlanFile(call, file);
  return {
    fallback: { environment: approved.environment },
    decide: (planned) => {
      refuseOtherPlan(approved, planned.plan);
      return { ...planned, plan: { ...approved, script: planned.plan.script } };
    },
  };
}

async function readPlanFile(call: Call, file: string): Promise<Plan> {
  const path = resolve(call.shell.cwd, file);
  try {
    const plan = JSON.parse(await readFile(path, 'utf8')) as Partial<Plan>;
    if (typeof plan.hash === 'string' && typeof plan.environment === 'string') return ofThisVersion(plan as Plan, file);
  } catch (cause) {
    if (cause instanceof LoadctlError) throw cause;
    if (errorCode(cause) !== undefined)
      throw new LoadctlError('usage', `The plan ${file} cannot be read (${errorCode(cause)}).`, {
        cause,
        hint: 'Name a file of `loadctl plan --out FILE`.',
      });
  }
  throw new LoadctlError('usage', `${file} is not a plan file.`, { hint: 'Name a file of `loadctl plan --out FILE`.' });
}

function ofThisVersion(plan: Plan, file: string): Plan {
  if (plan.version === planVersion) return plan;
  const message = `${file} is a plan of version ${String(plan.version)}; this loadctl runs plans of version ${planVersion}.`;
  throw new LoadctlError('refused', message, {
    hint: `Plan again, and have that approved: loadctl plan --env ${plan.environment} --out ${file}`,
  });
}

function refuseOtherPlan(approved: Plan, plan: Plan): void {
  if (approved.hash !== plan.hash) {
    throw new LoadctlError(
      'refused',
      `The plan has changed since it was approved: ${shortHash(approved.hash)} then, ${shortHash(plan.hash)} now.${whatChanged(approved, plan)}`,
      { hint: 'Plan again with the same variables set, have it approved, and run that.' },
    );
  }
  if (changedParts(approved, plan).length === 0) return;
  throw new LoadctlError('refused', `The plan file was changed after it was written: ${changedParts(approved, plan).join(', ')}.`, {
    hint: 'Write it again with `loadctl plan --out FILE`, and have that approved.',
  });
}

function whatChanged(approved: Plan, plan: Plan): string {
  const parts = changedParts(approved, plan);
  return parts.length === 0 ? '' : ` What differs: ${parts.join(', ')}.`;
}

/** The words of the plan that differ; where the script lies may. */
function changedParts(approved: Plan, plan: Plan): string[] {
  const ofPlan = (name: string, of: Plan) => canonicalJson(Reflect.get(of, name));
  const names = [...new Set([...Object.keys(approved), ...Object.keys(plan)])];
  return names.filter((name) => name !== 'script' && name !== 'hash' && ofPlan(name, approved) !== ofPlan(name, plan));
}
