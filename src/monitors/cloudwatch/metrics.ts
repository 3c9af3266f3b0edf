import type { MonitorValues } from '../../core/monitors.js';
import type { MonitorOf } from '../kind/types.js';

/** A metric of CloudWatch, and the field of a look that it becomes. */
export interface CloudMetric {
  readonly field: string;
  readonly name: string;
  readonly statistic: 'Average' | 'Maximum' | 'Minimum' | 'Sum';
  /** What a value is multiplied by: shares of 1, milliseconds. */
  readonly scale: number;
}

/** What CloudWatch calls one kind of service: its metrics' namespace, and how a metric names whose it is. */
export interface Service {
  readonly namespace: string;
  readonly dimension: string;
  readonly metrics: readonly CloudMetric[];
}

const metric = (field: string, name: string, statistic: CloudMetric['statistic'], scale = 1): CloudMetric => ({
  field,
  name,
  statistic,
  scale,
});

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html; a replica has one of the two lags. */
const rds: Service = {
  namespace: 'AWS/RDS',
  dimension: 'DBInstanceIdentifier',
  metrics: [
    metric('cpu', 'CPUUtilization', 'Average', 0.01),
    metric('freeMemory', 'FreeableMemory', 'Minimum'),
    metric('connections', 'DatabaseConnections', 'Maximum'),
    metric('lagMs', 'ReplicaLag', 'Maximum', 1000),
    metric('lagMs', 'AuroraReplicaLag', 'Maximum'),
    metric('diskQueue', 'DiskQueueDepth', 'Average'),
    metric('readMs', 'ReadLatency', 'Average', 1000),
    metric('writeMs', 'WriteLatency', 'Average', 1000),
    metric('freeStorage', 'FreeStorageSpace', 'Minimum'),
  ],
};

/**
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html. CPUUtilization is of all CPUs: where there are two, the one
 * thread that serves is full at half of it.
 */
const elastiCache: Service = {
  namespace: 'AWS/ElastiCache',
  dimension: 'CacheClusterId',
  metrics: [
    metric('cpu', 'EngineCPUUtilization', 'Average', 0.01),
    metric('memory', 'DatabaseMemoryUsagePercentage', 'Maximum', 0.01),
    metric('hostCpu', 'CPUUtilization', 'Average', 0.01),
    metric('clients', 'CurrConnections', 'Maximum'),
    metric('evictions', 'Evictions', 'Sum'),
    metric('lagMs', 'ReplicationLag', 'Maximum', 1000),
  ],
};

/** What a monitor asks about, and of whom. */
export function serviceOf({ instance, cluster = [] }: MonitorOf<'cloudwatch'>): {
  readonly service: Service;
  readonly names: readonly string[];
} {
  return instance === undefined ? { service: elastiCache, names: cluster } : { service: rds, names: instance };
}

/** What is judged as a share of what the profile says there is. */
export function withShares(values: MonitorValues, { maxConnections, memory }: MonitorOf<'cloudwatch'>): MonitorValues {
  const { connections, freeMemory } = values;
  return {
    ...values,
    ...(maxConnections === undefined || connections === undefined ? {} : { connectionsShare: connections / maxConnections }),
    ...(memory === undefined || freeMemory === undefined ? {} : { memory: Math.max(0, 1 - freeMemory / memory) }),
  };
}
