import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { unlessAborted } from '../../core/abort.js';
import type { MonitorLook } from '../../core/monitors.js';
import type { EpochMs } from '../../core/quantities.js';
import { within } from '../../core/timer.js';
import { lateness } from '../../metrics/servers/values.js';
import { type Held, held } from '../kind/held.js';
import type { MonitorContext, MonitorOf, OpenMonitor, Probe } from '../kind/types.js';
import { type Minutes, openClient, pointsOf } from './ask.js';
import { cloudFailure, noPoints } from './failures.js';
import { serviceOf } from './metrics.js';

const { periodMs, soonestMs } = lateness.cloudwatch;
/** At the first look so many minutes are asked for: a service that runs has points in them. */
const firstMinutes = 15;
/** A question that is given up leaves time to say so. */
const patienceShare = 0.9;

/** Instances of RDS or nodes of ElastiCache by CloudWatch, each a source: its points are told once they are right. */
export const cloudwatch: OpenMonitor<'cloudwatch'> = (monitor, context) => {
  const client = held<CloudWatchClient>({
    open: () => openClient(monitor, context),
    close: (open) => open.destroy(),
    leavesWhole: () => true,
  });
  return serviceOf(monitor).names.map((name) => pointsProbe(name, { monitor, context, client }));
};

interface Asking {
  readonly monitor: MonitorOf<'cloudwatch'>;
  readonly context: MonitorContext;
  readonly client: Held<CloudWatchClient>;
}

function pointsProbe(name: string, { monitor, context, client }: Asking): Probe {
  const source = `${monitor.region}/${name}`;
  const { service } = serviceOf(monitor);
  /** The minute that is to be told next. */
  let next: EpochMs | undefined;
  const ask = async (minutes: Minutes): Promise<readonly MonitorLook[]> => {
    try {
      return await within(context.clock, monitor.timeout * patienceShare, async (signal) => {
        // The search for credentials does not listen to a signal.
        const asked = client.use((open) => pointsOf(open, { monitor, service, name, source, signal }, minutes));
        const looks = await unlessAborted(asked, signal);
        if (looks === undefined) throw signal.reason;
        return looks;
      });
    } catch (error) {
      throw cloudFailure(error, monitor);
    }
  };
  return {
    source,
    drop: client.drop,
    look: async () => {
      const to = lastRight(context.clock.stamp());
      const from = next ?? to - firstMinutes * periodMs;
      if (from >= to) return [];
      const looks = await ask({ from, to });
      if (next === undefined && looks.length === 0) throw noPoints(monitor, name);
      next = Math.max(from, ...looks.map(({ periodFrom = 0 }) => periodFrom + periodMs));
      return looks;
    },
    ofStretch: ({ from, to }) => ask({ from: Math.floor(from / periodMs) * periodMs, to: Math.ceil(to / periodMs) * periodMs }),
  };
}

/** The end of the last minute that may be right at this moment. */
function lastRight(now: EpochMs): EpochMs {
  return Math.floor((now - soonestMs) / periodMs) * periodMs;
}
