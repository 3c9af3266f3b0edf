import type { CloudWatchClient, GetMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import type { MonitorLook } from '../../core/monitors.js';
import type { EpochMs } from '../../core/quantities.js';
import { lateness } from '../../metrics/servers/values.js';
import { cloudwatchUrl } from '../../plan/monitors.js';
import type { MonitorContext, MonitorOf } from '../kind/types.js';
import { type Service, withShares } from './metrics.js';

/** A stretch of time in whole minutes; `to` is no part of it. */
export interface Minutes {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** A client that keeps its connection; it connects with its first question. */
export async function openClient(monitor: MonitorOf<'cloudwatch'>, { label }: Pick<MonitorContext, 'label'>): Promise<CloudWatchClient> {
  const { CloudWatchClient } = await import('@aws-sdk/client-cloudwatch');
  const { region, credentials } = monitor;
  return new CloudWatchClient({
    region,
    endpoint: cloudwatchUrl(monitor),
    customUserAgent: label,
    ...(credentials === undefined ? {} : { credentials }),
  });
}

/** Whom a question is about. */
export interface Subject {
  readonly monitor: MonitorOf<'cloudwatch'>;
  readonly service: Service;
  readonly name: string;
  /** What it is called in looks. */
  readonly source: string;
  /** Ends the question. */
  readonly signal: AbortSignal;
}

/** What CloudWatch knows of these minutes of one instance or node: a look for each minute that has a point. */
export async function pointsOf(
  client: CloudWatchClient,
  { monitor, service, name, source, signal }: Subject,
  minutes: Minutes,
): Promise<readonly MonitorLook[]> {
  const { paginateGetMetricData } = await import('@aws-sdk/client-cloudwatch');
  const byMinute = new Map<EpochMs, Record<string, number>>();
  for await (const page of paginateGetMetricData({ client }, question(service, name, minutes), { abortSignal: signal })) {
    for (const { Id, Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
      const metric = service.metrics[Number(Id?.slice(1))];
      if (metric === undefined) continue;
      for (const [index, at] of Timestamps.entries()) {
        const value = Values[index];
        if (value === undefined) continue;
        const values = byMinute.get(at.getTime()) ?? {};
        byMinute.set(at.getTime(), Object.assign(values, { [metric.field]: value * metric.scale }));
      }
    }
  }
  return [...byMinute]
    .sort(([a], [b]) => a - b)
    .map(([periodFrom, values]) => ({ source, values: withShares(values, monitor), periodFrom }));
}

function question({ namespace, dimension, metrics }: Service, name: string, { from, to }: Minutes): GetMetricDataCommandInput {
  return {
    StartTime: new Date(from),
    EndTime: new Date(to),
    ScanBy: 'TimestampAscending',
    MetricDataQueries: metrics.map((metric, index) => ({
      Id: `m${index}`,
      MetricStat: {
        Metric: { Namespace: namespace, MetricName: metric.name, Dimensions: [{ Name: dimension, Value: name }] },
        Period: lateness.cloudwatch.periodMs / 1000,
        Stat: metric.statistic,
      },
    })),
  };
}
