import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { RunId } from '../../core/ids.js';
import type { PhaseCommandName, PhaseOptions } from '../../core/phase-command.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { HandIn } from '../../door/hand-in.js';
import { readScriptFiles } from '../../k6/script-files.js';
import type { TakenLock } from '../../kubernetes/run-lock.js';
import type { Profile } from '../../profile/sections/schema.js';
import { rememberedFiles, stateRoot } from '../../runs/layout.js';
import { profileChoice } from '../call/options.js';
import type { Planned } from '../call/profile.js';
import type { Call } from '../call/types.js';

/** What a conductor is to carry out, and how long it goes on and waits without anybody. */
export interface HandInTerms {
  readonly command: PhaseCommandName;
  readonly options: PhaseOptions;
  /** Where it was confirmed, what LOADCTL_CONFIRM would say; without it that of this shell. */
  readonly confirmation?: string;
  readonly run: RunId;
  readonly stopUnfollowedMs?: Milliseconds;
  readonly keepMs: Milliseconds;
  readonly lock?: TakenLock;
}

/** All that another loadctl needs to carry this plan out as it would be here. */
export function handInOf(call: Call, { loaded, plan, file }: Planned, { confirmation, ...terms }: HandInTerms): HandIn {
  const { cwd, env, who } = call.shell;
  const { script } = loaded.profile.workload;
  const { set, scriptEnv } = profileChoice(call);
  return {
    cwd,
    profile: loaded.file,
    files: [
      ...loaded.files,
      ...readScriptFiles(script).map(({ file }) => resolve(dirname(script), file)),
      ...Object.values(loaded.profile.stores).flatMap(keysOf),
      ...(terms.command === 'run' ? [] : rememberedHere(cwd, plan.environment)),
    ],
    origin: { file, variables: loaded.variables },
    plan,
    who,
    set,
    scriptEnv,
    variables: { ...loaded.variableValues, ...inherited(scriptEnv, env), ...approval(env, confirmation) },
    ...terms,
  };
}

/** What an earlier command left about the environment's data. */
function rememberedHere(cwd: string, environment: string): string[] {
  const files = Object.values(rememberedFiles(environment)).map((name) => join(stateRoot(cwd), name));
  return files.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

/** What decides whether somebody is asked, and what has been said already. */
function approval({ CI, LOADCTL_CONFIRM }: Call['shell']['env'], confirmation = LOADCTL_CONFIRM): Record<string, string> {
  return { ...(CI === undefined ? {} : { CI }), ...(confirmation === undefined ? {} : { LOADCTL_CONFIRM: confirmation }) };
}

/** What `-e NAME` takes from here. */
function inherited(scriptEnv: readonly string[], env: Call['shell']['env']): Record<string, string> {
  const names = scriptEnv.filter((argument) => !argument.includes('='));
  return Object.fromEntries(names.map((name) => [name, env[name] ?? '']));
}

/** The files that a store's connection needs. */
function keysOf(store: Profile['stores'][string]): string[] {
  const tls = 'tls' in store && typeof store.tls === 'object' ? store.tls : {};
  return ['ca', 'certificate', 'key'].flatMap((name) => {
    const path: unknown = Reflect.get(tls, name);
    return typeof path === 'string' ? [path] : [];
  });
}
