import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { besideIn } from '../../core/beside.js';
import { errorCode, errorMessage, LoadctlError } from '../../core/errors.js';
import { scope } from '../../core/scope.js';
import type { HandIn } from '../../door/hand-in.js';
import { openDoor } from '../../door/server.js';
import { openCluster } from '../../kubernetes/client.js';
import { unlockRun } from '../../kubernetes/run-lock.js';
import { approvedPlan } from '../call/approved-plan.js';
import type { Planned } from '../call/profile.js';
import { session } from '../call/session.js';
import type { Call, Outcome } from '../call/types.js';
import { phaseCommand } from '../phases/index.js';
import { type Desk, openDesk, type Patience } from './desk.js';
import { secretVariables } from './secret-variables.js';

/** Where a conductor listens, and what it is given besides the hand-in. */
export interface ConductOptions {
  /** The port of its door on loopback; 0: any that is free. */
  readonly port: number;
  /** A folder with a file for each variable that the hand-in may leave out. */
  readonly variables: string | undefined;
  readonly patience: Patience;
}

/**
 * Waits for the hand-in at its door, carries the command out as if it had been typed here, and keeps what came of it until somebody has
 * collected it. Throws `unavailable` where nothing is handed in.
 */
export async function conduct(call: Call, options: ConductOptions): Promise<Outcome> {
  return scope(async (defer) => {
    const desk = await openDesk(
      call,
      besideIn(defer, () => undefined),
      options.patience,
    );
    const door = await openDoor(options.port, desk.conductor).catch((error: unknown) => Promise.reject(portTaken(options.port, error)));
    defer(() => door.close());
    call.shell.stdout.write(`Waiting for the hand-in at 127.0.0.1:${door.port}.\n`);
    const handIn = await desk.handIn();
    try {
      const outcome = await carriedOut(call, handIn, options, desk);
      await desk.keep();
      return outcome;
    } catch (error) {
      await desk.keep(error);
      throw error;
    }
  });
}

async function carriedOut(call: Call, handIn: HandIn, options: ConductOptions, desk: Desk): Promise<Outcome> {
  try {
    return await carryOut(call, handIn, options, desk);
  } finally {
    await letGo(call, handIn);
  }
}

/** The command of a hand-in, as it would be done with `--plan` in the folder that it was unpacked into. */
async function carryOut(call: Call, handIn: HandIn, { variables }: ConductOptions, desk: Desk): Promise<Outcome> {
  const { cwd, profile, plan, run, who, set, scriptEnv: e, command, options } = handIn;
  const planFile = join(desk.folder, 'plan.json');
  await writeFile(planFile, JSON.stringify(plan), { mode: 0o600 });
  const env = { ...call.shell.env, ...(await secretVariables(variables)), ...handIn.variables };
  const style = {
    json: false,
    ci: false,
    quiet: false,
    colour: { stdout: false, stderr: false },
    animated: false,
    canDraw: false,
    unicode: true,
  };
  const shell = { ...desk.shell, cwd, env, who };
  const inside = { ...call, shell, args: [], options: { profile, set, e, plan: planFile }, style, questions: desk.questions };
  const { act, work } = phaseCommand[command];
  const approved = await approvedPlan(inside);
  const decide = (planned: Planned) => asTyped(approved.decide(planned), handIn);
  const asked = { ...act(options), command, run, hear: desk.hear, ...approved, decide };
  return session(inside, asked, (context, known) => work(inside, options, context, known));
}

/** What a question says of files and variables is what it would say where the command was typed. */
function asTyped(planned: Planned, { plan, origin }: HandIn): Planned {
  const known = new Map(origin.variables.filter(({ from }) => from !== 'missing').map((variable) => [variable.name, variable]));
  const variables = planned.loaded.variables.map((variable) => known.get(variable.name) ?? variable);
  return { ...planned, file: origin.file, script: plan.script, loaded: { ...planned.loaded, variables } };
}

/** In a pod: what kept a second run out goes when the load is over, not with what is kept for who collects. */
async function letGo({ shell }: Call, { lock }: HandIn): Promise<void> {
  const { LOADCTL_NAMESPACE: namespace } = shell.env;
  if (lock === undefined || namespace === undefined) return;
  try {
    await unlockRun(await openCluster({ namespace }, shell), lock);
  } catch (error) {
    shell.stderr.write(`The lock of the run (Secret ${lock.name}) stays until this Job is removed: ${errorMessage(error)}\n`);
  }
}

function portTaken(port: number, cause: unknown): unknown {
  if (errorCode(cause) !== 'EADDRINUSE') return cause;
  return new LoadctlError('unavailable', `Port ${port} of loopback is taken.`, { cause, hint: 'Name another one: --port N' });
}
