import type { Criterion } from '../../core/criterion.js';
import type { ServerSample } from '../../core/monitors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { type RecentLines, recentLines } from '../../metrics/servers/recent.js';
import type { Stretch } from '../../metrics/servers/series.js';
import { judgedWindow } from '../../metrics/servers/window.js';
import type { Probe } from '../../monitors/kind/types.js';
import { sample, type Told } from '../../monitors/sampler.js';
import type { PlannedMonitor } from '../../plan/monitors.js';
import { runFiles } from '../../runs/layout.js';
import type { RunContext } from '../frame/context.js';
import { awaitPoints, sourcesToAwait } from './await-points.js';
import { type KeptLine, lateSources, lineOfPeriod } from './late-points.js';
import { type Opened, openMonitors } from './open-monitors.js';
import { silenceTeller } from './silence.js';
import { drainWatch } from './watch-drain.js';
import type { Watching } from './watching.js';

/** What watches the servers beside a run. */
export interface ServersWatch {
  /** What a limit for the servers comes to over the last `overMs`, or stands at now. */
  sampleOf(limit: Criterion, overMs?: Milliseconds): ServerSample | undefined;
  /** Waits, after the load, until its queues are drained as the limits on that want, or it is clear that they are not in time. */
  drained(load: Stretch, signal: AbortSignal): Promise<void>;
  /** Waits, after the load, for what sources tell of it late, where a limit is about that. */
  settled(load: Stretch, signal: AbortSignal): Promise<void>;
  /** Looks no more. */
  end(): Promise<void>;
}

/**
 * Opens the plan's monitors and looks from now on, beside the run: every line goes to monitors.ndjson. Throws `unavailable` where a
 * monitor whose data the result needs cannot look.
 */
export async function watchServers(context: RunContext, watching: Watching, signal: AbortSignal): Promise<ServersWatch> {
  const { plan } = context;
  const { clock, moment, directory, emit, beside } = watching;
  const recent: RecentLines = recentLines(plan.judgedMonitors);
  const drain = drainWatch(plan);
  const opened = await openMonitors(context, `loadctl/${directory.run}`);
  if (signal.aborted) {
    // Whoever waited for this is gone, and nothing begins any more.
    for (const { probes } of opened) for (const probe of probes) probe.drop();
    return nobodyWatches;
  }
  const tellSilence = silenceTeller(
    opened.map(({ monitor }) => monitor),
    emit,
  );
  const keep = ({ at, ...line }: KeptLine, by = line.source) => {
    recent.take(line);
    drain.take(line);
    directory.append(runFiles.monitors, { at, ...line });
    tellSilence(line, by);
  };
  const tell = ({ monitor: { name }, probe }: Looking, { look, at }: Told) => {
    const now = moment();
    const agoMs = clock.elapsed() - at;
    const whole = { at: Math.round(now.at - agoMs), t: round(now.t - agoMs), monitor: name, ...look };
    keep(lineOfPeriod(name, look, now.at - now.t) ?? whole, probe.source);
  };
  const settled = async (load: Stretch, until: AbortSignal) => {
    const now = moment();
    const window = judgedWindow(load, plan.steady);
    const awaited = sourcesToAwait(lateSources(opened), plan, window);
    if (awaited.length === 0) return;
    emit({ type: 'noted', code: 'points-awaited', monitors: [...new Set(awaited.map(({ monitor }) => monitor.name))] });
    const waiting = { window, origin: now.at - now.t, clock, signal: until, tell: keep };
    await Promise.all(awaited.map((source) => awaitPoints(source, waiting)));
  };
  const ends = opened.flatMap((one) => one.probes.map((probe) => goOn(one, probe)));
  function goOn({ monitor }: Opened, probe: Probe): () => Promise<void> {
    const { every, timeout } = monitor;
    return beside(async (over) => {
      await sample(probe, { every, timeout, clock, tell: (told) => tell({ monitor, probe }, told) }, over);
      probe.drop();
    });
  }
  return {
    sampleOf: (limit, overMs) => recent.sampleOf(limit, moment().t, overMs),
    drained: (load, signal) => drain.wait(load, { clock, signal }),
    settled,
    end: async () => {
      await Promise.all(ends.map((end) => end()));
    },
  };
}

/** Who looks. */
interface Looking {
  readonly monitor: PlannedMonitor;
  readonly probe: Probe;
}

function round(ms: Milliseconds): Milliseconds {
  return Math.round(ms * 10) / 10;
}

/** The watch of a run without monitors. */
export const nobodyWatches: ServersWatch = {
  sampleOf: () => undefined,
  drained: () => Promise.resolve(),
  settled: () => Promise.resolve(),
  end: () => Promise.resolve(),
};
