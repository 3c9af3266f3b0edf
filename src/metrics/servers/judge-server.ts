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
  const gap = 'measured' in found ? found.left : found;
  const isFault = gap !== undefined && (gap.required || side.strict) && !side.endedEarly;
  const missing = gap === undefined ? {} : { missing: gap.missing, ...(isFault ? ({ isFault } as const) : {}) };
  const monitored = found.monitored === undefined ? {} : { monitored: found.monitored };
  if (!('measured' in found)) return { outcome: found.required ? 'no-data' : 'not-measured', ...monitored, ...missing };
  const { measured } = found;
  return { outcome: decide(criterion.operator, criterion.limit, measured), measured, ...monitored, ...missing };
}
