import type { RunnerId } from '../../core/ids.js';
import type { Milliseconds } from '../../core/quantities.js';
import { repeat } from '../../core/timer.js';
import { crowdedMachines, type GeneratorSample } from '../../metrics/generators.js';
import type { Runner, Vitals } from '../../runners/runner/types.js';
import { sampleBetween } from '../../runners/runner/vitals.js';
import { runFiles } from '../../runs/layout.js';
import type { Watching } from './watching.js';

const everyMs: Milliseconds = 1000;

type Look = { readonly t: Milliseconds; readonly vitals: Vitals };

/**
 * Looks once a second at what the k6 processes and their machines use, and writes it to generators.ndjson. The returned
 * function ends it, after one last look; a second call does nothing.
 */
export function watchGenerators(runners: readonly Runner[], { clock, emit, moment, directory, beside }: Watching): () => Promise<void> {
  const begun = moment().t;
  const samples: GeneratorSample[] = [];
  let before = new Map<RunnerId, Look>();
  const look = async () => {
    const { at, t } = moment();
    const looks = await Promise.all(runners.map(async (runner) => ({ runner, vitals: await runner.vitals?.() })));
    const now = new Map<RunnerId, Look>();
    for (const { runner, vitals } of looks) {
      if (vitals === undefined) continue;
      const [earlier, later] = [before.get(runner.id), { t, vitals }];
      now.set(runner.id, later);
      const sample = earlier && sampleBetween(runner, earlier, later);
      if (sample === undefined) continue;
      samples.push(sample);
      directory.append(runFiles.generators, { at, ...sample });
    }
    before = now;
  };
  return beside(async (over) => {
    await look();
    if (before.size === 0) emit({ type: 'noted', code: 'generators-unreadable' });
    await repeat(clock, everyMs, over, look);
    await look();
    for (const crowded of crowdedMachines(samples, { from: begun, to: moment().t }))
      emit({ type: 'warned', code: 'generators-crowded', ...crowded });
  });
}
