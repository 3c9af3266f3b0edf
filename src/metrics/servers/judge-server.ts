import type { Criterion } from '../../core/criterion.js';
import type { ServerOutcome } from '../criterion.js';
import { decide } from '../evaluate.js';
import { findServer, type ServerEvidence } from './find.js';

/** What the monitors' lines are held against: where the profile says `guards: production`, what is not measured is a fault, too. */
export interface ServerSide extends ServerEvidence {
  readonly strict: boolean;
  /** The load was ended before its time: what is missing then is no fault. */
  readonly endedEarly: boolean;
}

/** Judges a limit for the servers. */
export function judgeServer(criterion: Criterion, side: ServerSide): ServerOutcome {
  const found = findServer(criterion, side);
  if ('measured' in found) {
    const { measured, monitored } = found;
    return { outcome: decide(criterion.operator, criterion.limit, measured), measured, monitored };
  }
  const { missing, required } = found;
  const fault = (required || side.strict) && !side.endedEarly ? ({ isFault: true } as const) : {};
  const monitored = found.required && found.monitored !== undefined ? { monitored: found.monitored } : {};
  return { outcome: required ? 'no-data' : 'not-measured', missing, ...monitored, ...fault };
}
