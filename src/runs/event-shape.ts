import type { LoadctlEvent } from '../core/events.js';
import { misfit, type Shape } from './shape.js';

/** What a verdict asks of an event: where it is missing, a damaged line would decide something. */
const decisive: { readonly [T in LoadctlEvent['type']]?: Shape } = {
  'phase-started': { phase: 'text' },
  'phase-finished': { phase: 'text', reasons: 'list' },
  'setup-failed': { error: 'fields' },
  'fleet-stopped': { cause: 'text' },
  'load-ended': { elapsedMs: 'number' },
  'runner-ended': { runner: 'text', cause: 'text?', numbers: 'text?', lost: 'number?' },
  'health-probed': { elapsedMs: 'number' },
  'start-skew-measured': { skewMs: 'number' },
  'runner-short': { runner: 'text', of: 'text', times: 'number' },
  'command-finished': { reasons: 'list' },
};

/** What keeps a line of events.ndjson from being an event; undefined where it is one. */
export function eventMisfit(line: unknown): string | undefined {
  const found = misfit(line, { type: 'text', t: 'number?' });
  if (found !== undefined) return found;
  const { type } = line as Pick<LoadctlEvent, 'type'>;
  return misfit(line, decisive[type] ?? {});
}
