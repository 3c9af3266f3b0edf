import type { PhaseCommandName, PhaseOptions } from '../../core/phase-command.js';
import type { PhaseContext } from '../../phases/frame/context.js';
import type { KnownTest } from '../../phases/run/inspect-test.js';
import type { Act } from '../call/approval.js';
import type { Done } from '../call/session.js';
import type { Call } from '../call/types.js';

/** A command that reaches servers: what has to be approved, and its work, wherever that is done. */
export interface PhaseCommand {
  readonly command: PhaseCommandName;
  act(options: PhaseOptions): Act;
  work(call: Call, options: PhaseOptions, context: PhaseContext, known: KnownTest | undefined): Promise<Done>;
}
