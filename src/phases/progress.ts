import type { Emit } from '../core/events.js';
import type { Clock } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import type { Runner } from '../runners/types.js';
import { sampleFleet } from './fleet.js';
import { type RunDirectory, runFiles } from './run-directory.js';

const everyMs = 1000;

/**
 * Tells once a second what the fleet does, from the runners' REST API, and writes it to timeseries.ndjson. The
 * returned function stops it, after one last look; a second call does nothing.
 */
export function startProgress(
  runners: readonly Runner[],
  totalMs: Milliseconds,
  directory: RunDirectory,
  { clock, emit }: { clock: Clock; emit: Emit },
): () => Promise<void> {
  const stopped = new AbortController();
  const begun = clock.now();
  let before = { at: begun, requests: 0 };
  const look = async () => {
    const sample = await sampleFleet(runners);
    if (sample.runnersReporting === 0) return;
    const at = clock.now();
    const requestsPerSecond = Math.max(0, (sample.requests - before.requests) / Math.max(0.001, (at - before.at) / 1000));
    before = { at, requests: sample.requests };
    const line = { elapsedMs: at - begun, totalMs, ...sample, requestsPerSecond };
    directory.append(runFiles.timeseries, { at, ...line });
    emit({ type: 'fleet-sampled', ...line });
  };
  const loop = async () => {
    for (let next = begun + everyMs; !stopped.signal.aborted; next += everyMs) {
      await clock.sleep(Math.max(0, next - clock.now()), stopped.signal);
      if (!stopped.signal.aborted) await look();
    }
  };
  const looping = loop();
  return async () => {
    if (stopped.signal.aborted) return;
    stopped.abort();
    await looping;
    await look();
  };
}
