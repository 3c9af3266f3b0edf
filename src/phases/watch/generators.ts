import type { Emit } from '../../core/events.js';
import type { RunnerId } from '../../core/ids.js';
import type { Clock } from '../../core/os.js';
import type { EpochMs } from '../../core/quantities.js';
import { crowdedMachines, type GeneratorSample } from '../../metrics/generators.js';
import type { Runner, Vitals } from '../../runners/runner/types.js';
import { sampleBetween } from '../../runners/runner/vitals.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';

const everyMs = 1000;

type Look = { readonly at: EpochMs; readonly vitals: Vitals };

/**
 * Looks once a second at what the k6 processes and their machines use, and writes it to generators.ndjson. The returned
 * function ends it, after one last look; a second call does nothing.
 */
export function watchGenerators(
  runners: readonly Runner[],
  directory: RunDirectory,
  { clock, emit }: { readonly clock: Clock; readonly emit: Emit },
): () => Promise<void> {
  const stopped = new AbortController();
  const begun = clock.now();
  const samples: GeneratorSample[] = [];
  let before = new Map<RunnerId, Look>();
  const look = async () => {
    const at = clock.now();
    const looks = await Promise.all(runners.map(async (runner) => ({ runner, vitals: await runner.vitals?.() })));
    const now = new Map<RunnerId, Look>();
    for (const { runner, vitals } of looks) {
      if (vitals === undefined) continue;
      const [earlier, later] = [before.get(runner.id), { at, vitals }];
      now.set(runner.id, later);
      const sample = earlier && sampleBetween(runner, earlier, later);
      if (sample === undefined) continue;
      samples.push(sample);
      directory.append(runFiles.generators, sample);
    }
    before = now;
  };
  const loop = async () => {
    await look();
    if (before.size === 0) emit({ type: 'noted', code: 'generators-unreadable' });
    for (let next = begun + everyMs; !stopped.signal.aborted; next += everyMs) {
      await clock.sleep(Math.max(0, next - clock.now()), stopped.signal);
      await look();
    }
  };
  const looping = loop();
  return async () => {
    if (stopped.signal.aborted) return;
    stopped.abort();
    await looping;
    for (const crowded of crowdedMachines(samples, { from: begun, to: clock.now() }))
      emit({ type: 'warned', code: 'generators-crowded', ...crowded });
  };
}
