import type { MonitorLine, MonitorLook } from '../../core/monitors.js';
import type { EpochMs } from '../../core/quantities.js';
import type { Stretch } from '../../metrics/servers/series.js';
import type { Probe } from '../../monitors/kind/types.js';
import type { Opened } from './open-monitors.js';

/** A source that tells in periods, and late. */
export interface LateSource extends Pick<Opened, 'monitor'> {
  readonly probe: Pick<Probe, 'source'> & { readonly ofStretch: NonNullable<Probe['ofStretch']> };
}

/** Those of some monitors. */
export function lateSources(opened: readonly Opened[]): LateSource[] {
  return opened.flatMap(({ monitor, probes }) =>
    probes.flatMap(({ source, ofStretch }) => (ofStretch === undefined ? [] : [{ monitor, probe: { source, ofStretch } }])),
  );
}

/** A line of monitors.ndjson, as it is written. */
export type KeptLine = MonitorLine & { readonly at: EpochMs };

/** Asks a source about a stretch of a run, by the run's `t`; `origin` is what the wall clock said when that was 0. */
export async function pointsOf({ monitor, probe }: LateSource, { from, to }: Stretch, origin: EpochMs): Promise<readonly KeptLine[]> {
  const looks = await probe.ofStretch({ from: origin + from, to: origin + to });
  return looks.flatMap((look) => lineOfPeriod(monitor.name, look, origin) ?? []);
}

/** The line of a look at a period; undefined where it is about no period. */
export function lineOfPeriod(monitor: string, look: MonitorLook, origin: EpochMs): KeptLine | undefined {
  const { periodFrom } = look;
  return periodFrom === undefined ? undefined : { at: periodFrom, t: Math.round((periodFrom - origin) * 10) / 10, monitor, ...look };
}
