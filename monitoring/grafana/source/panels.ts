/** A query for each of the two data sources; both answer the same question. */
export interface Question {
  readonly influx: string;
  readonly prometheus: string;
  /** What the legend says: `{name}` is a tag or label. */
  readonly legend: string;
}

/** What a panel shows, and how large it is in Grafana's grid of 24 columns. */
export interface PanelWords {
  readonly title: string;
  readonly says: string;
  readonly shows: 'number' | 'graph' | 'table';
  readonly unit: Unit;
  readonly width: number;
  readonly height: number;
  readonly questions: readonly Question[];
}

/** Units by Grafana's names; `duration` is milliseconds in InfluxDB and seconds in Prometheus. */
export type Unit = 'short' | 'reqps' | 'percentunit' | 'duration' | 'string';

const run = '"testid" = \'$testid\'';
const span = `${run} AND $timeFilter`;
const over = `WHERE ${span} GROUP BY time($__interval)`;
const of = '{testid="$testid"}';
const failed = '{testid="$testid", condition="nonzero"}';
/** Counters and histograms begin at zero with the run: what they were last is the whole of it. `increase` would extrapolate. */
const last = (series: string) => `last_over_time(${series}[$__range])`;
const rate = (series: string) => `rate(${series}[$__rate_interval])`;
const duration = `k6_http_req_duration_seconds${of}`;

const levels = [
  { name: 'p50', level: 0.5 },
  { name: 'p95', level: 0.95 },
  { name: 'p99', level: 0.99 },
] as const;

/** The numbers that a run comes to. */
const wholes: readonly PanelWords[] = [
  {
    title: 'Verdict',
    says: 'What the run was found to be; empty while it goes on.',
    shows: 'number',
    unit: 'string',
    width: 4,
    height: 4,
    questions: [
      {
        influx: `SELECT last("verdict") FROM "loadctl_verdict" WHERE ${run}`,
        prometheus: `max by (verdict) (${last(`loadctl_run_passed${of}`)})`,
        legend: '{verdict}',
      },
    ],
  },
  {
    title: 'Requests',
    says: 'All of the run.',
    shows: 'number',
    unit: 'short',
    width: 4,
    height: 4,
    questions: [
      {
        influx: `SELECT sum("requests") FROM "loadctl_second" WHERE ${span}`,
        prometheus: `sum(${last(`k6_http_reqs_total${of}`)})`,
        legend: 'requests',
      },
    ],
  },
  {
    title: 'Failed',
    says: 'The share of failed requests in all of the run.',
    shows: 'number',
    unit: 'percentunit',
    width: 4,
    height: 4,
    questions: [
      {
        influx: `SELECT sum("failed") / sum("requests") FROM "loadctl_second" WHERE ${span}`,
        prometheus: `sum(${last(`k6_http_req_failed_total${failed}`)}) / sum(${last(`k6_http_req_failed_total${of}`)})`,
        legend: 'failed',
      },
    ],
  },
  ...levels.map(
    ({ name, level }): PanelWords => ({
      title: name,
      says: `${name} of how long requests took: in InfluxDB of the judged window, merged exactly; in Prometheus of the whole run, from a histogram of 9% wide buckets.`,
      shows: 'number',
      unit: 'duration',
      width: 4,
      height: 4,
      questions: [
        {
          influx: `SELECT last("${name}") FROM "loadctl_run" WHERE ${run}`,
          prometheus: `histogram_quantile(${level}, sum(rate(${duration}[$__range])))`,
          legend: name,
        },
      ],
    }),
  ),
];

/** What the fleet did, over time. */
const courses: readonly PanelWords[] = [
  {
    title: 'Requests a second',
    says: 'All requests, and those that failed.',
    shows: 'graph',
    unit: 'reqps',
    width: 12,
    height: 8,
    questions: [
      {
        influx: `SELECT sum("requests") * 1000 / $__interval_ms FROM "loadctl_second" ${over}`,
        prometheus: `sum(${rate(`k6_http_reqs_total${of}`)})`,
        legend: 'all',
      },
      {
        influx: `SELECT sum("failed") * 1000 / $__interval_ms FROM "loadctl_second" ${over}`,
        prometheus: `sum(${rate(`k6_http_req_failed_total${failed}`)})`,
        legend: 'failed',
      },
    ],
  },
  {
    title: 'How long requests took',
    says: 'In InfluxDB the worst second of each interval: percentiles of seconds cannot be averaged. In Prometheus of each interval.',
    shows: 'graph',
    unit: 'duration',
    width: 12,
    height: 8,
    questions: levels.map(({ name, level }) => ({
      influx: `SELECT max("${name}") FROM "loadctl_second" ${over}`,
      prometheus: `histogram_quantile(${level}, sum(${rate(duration)}))`,
      legend: name,
    })),
  },
  {
    title: 'Virtual users',
    says: 'Of all runners together.',
    shows: 'graph',
    unit: 'short',
    width: 12,
    height: 8,
    questions: [{ influx: `SELECT max("vus") FROM "loadctl_second" ${over}`, prometheus: `sum(k6_vus${of})`, legend: 'VUs' }],
  },
  {
    title: 'Failed requests',
    says: 'The share of each interval.',
    shows: 'graph',
    unit: 'percentunit',
    width: 12,
    height: 8,
    questions: [
      {
        influx: `SELECT sum("failed") / sum("requests") FROM "loadctl_second" ${over}`,
        prometheus: `sum(${rate(`k6_http_req_failed_total${failed}`)}) / sum(${rate(`k6_http_req_failed_total${of}`)})`,
        legend: 'failed',
      },
    ],
  },
];

/** The same by what was requested. */
const endpoints: readonly PanelWords[] = [
  {
    title: 'Requests a second by name',
    says: 'Of each name of a request.',
    shows: 'graph',
    unit: 'reqps',
    width: 12,
    height: 8,
    questions: [
      {
        influx: `SELECT sum("requests") * 1000 / $__interval_ms FROM "loadctl_second_endpoint" ${over}, "name"`,
        prometheus: `sum by (name) (${rate(`k6_http_reqs_total${of}`)})`,
        legend: '{name}',
      },
    ],
  },
  {
    title: 'p95 by name',
    says: 'In InfluxDB the worst second of each interval.',
    shows: 'graph',
    unit: 'duration',
    width: 12,
    height: 8,
    questions: [
      {
        influx: `SELECT max("p95") FROM "loadctl_second_endpoint" ${over}, "name"`,
        prometheus: `histogram_quantile(0.95, sum by (name) (${rate(duration)}))`,
        legend: '{name}',
      },
    ],
  },
];

/** What the run is judged by, and what stands behind it. */
const judged: readonly PanelWords[] = [
  {
    title: 'Limits: met',
    says: '1 is met, 0 is not; there when the run was judged, those of servers while it goes on.',
    shows: 'table',
    unit: 'short',
    width: 12,
    height: 8,
    questions: [
      {
        influx: `SELECT last("ok") AS "met", last("limit") AS "limit", last("actual") AS "actual", last("outcome") AS "outcome" FROM "loadctl_criterion_judged" WHERE ${run} GROUP BY "criterion"`,
        prometheus: `max by (criterion) (${last(`loadctl_criterion_ok${of}`)})`,
        legend: '{criterion}',
      },
    ],
  },
  {
    title: 'Limits for the servers',
    says: 'What each is held against, and where it stands, in its own unit.',
    shows: 'graph',
    unit: 'short',
    width: 12,
    height: 8,
    questions: [
      {
        influx: `SELECT last("actual") FROM "loadctl_criterion" ${over}, "criterion"`,
        prometheus: `loadctl_criterion_actual${of}`,
        legend: '{criterion}',
      },
      {
        influx: `SELECT last("limit") FROM "loadctl_criterion" ${over}, "criterion"`,
        prometheus: `loadctl_criterion_limit${of}`,
        legend: 'limit of {criterion}',
      },
    ],
  },
  {
    title: 'Monitors',
    says: 'What monitors see: gauges as they are, counters as they stand.',
    shows: 'graph',
    unit: 'short',
    width: 12,
    height: 8,
    questions: [
      {
        influx: `SELECT last("value") FROM "loadctl_monitor" ${over}, "monitor", "source", "metric"`,
        prometheus: `loadctl_monitor_value${of}`,
        legend: '{monitor} {metric} {source}',
      },
    ],
  },
  {
    title: 'CPUs of the runners',
    says: 'What each k6 uses: near what its machine has, its numbers cannot be trusted.',
    shows: 'graph',
    unit: 'short',
    width: 12,
    height: 8,
    questions: [
      {
        influx: `SELECT max("cpus") FROM "loadctl_runner" ${over}, "runner"`,
        prometheus: `loadctl_runner_cpus${of}`,
        legend: 'runner {runner}',
      },
    ],
  },
];

/** Every panel, in rows of 24 columns. */
export const panels: readonly PanelWords[] = [...wholes, ...courses, ...endpoints, ...judged];
