import { asRunId, type RunId } from '../../src/core/ids.js';

/** The id of a run, as a test writes it down. */
export function runId(text: string): RunId {
  const id = asRunId(text);
  if (id === undefined) throw new Error(`${text} is not an id of a run`);
  return id;
}
