import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { EndpointNumbers, LiveLatency } from '../../core/events.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { JudgedCriterion } from '../../core/verdict.js';
import type { RunNumber, RunNumbers } from '../../metrics/compare/numbers.js';
import { measuredNumbers } from '../../metrics/endpoint-numbers.js';
import { listRuns } from '../../runs/find.js';
import { runsRoot } from '../../runs/layout.js';
import type { RunWatcher } from '../../runs/lock.js';
import { madeOf } from '../../runs/read.js';
import { type Judgement, judgeRun } from '../verify/judgement.js';
import { requireOver } from '../verify/verify.js';

/** What is known of a run for a comparison, or why it cannot be compared. */
export type Comparable = { readonly numbers: RunNumbers } | { readonly unfit: 'invalid' | 'interrupted' | 'nothing measured' };

/** Reads what a run measured. Throws `unavailable` for one that is still going on, or whose directory is damaged. */
export async function runNumbers(directory: string, world: RunWatcher): Promise<Comparable> {
  return madeOf(directory, async () => {
    await requireOver(directory, world);
    return comparable(await judgeRun(directory));
  });
}

/** The runs below a working directory with a valid result, newest first. What is going on, or cannot be read, is left out. */
export async function* validRuns(cwd: string, world: RunWatcher): AsyncGenerator<RunNumbers> {
  for (const run of await listRuns(cwd)) {
    const one = await runNumbers(join(runsRoot(cwd), run), world).catch((error: unknown) => {
      if (!(error instanceof LoadctlError)) throw error;
    });
    if (one !== undefined && 'numbers' in one) yield one.numbers;
  }
}

function comparable({ record, summary, verdict }: Judgement): Comparable {
  const { verdict: word, criteria } = verdict;
  if (word !== 'pass' && word !== 'fail') return { unfit: word };
  if (summary === undefined) return { unfit: 'nothing measured' };
  const { all, endpoints } = measuredNumbers(summary, record.plan.steady);
  const gated = criteria.flatMap((criterion) => gatedNumber(criterion, all) ?? []);
  const shown = [...overall(all), ...endpoints.flatMap(ofEndpoint)];
  const names = new Set(gated.map(({ name }) => name));
  return {
    numbers: {
      run: record.run,
      environment: record.environment,
      startedAt: record.startedAt,
      ...(record.workload === undefined ? {} : { workload: record.workload }),
      ...(record.gitCommit === undefined ? {} : { commit: record.gitCommit }),
      verdict: word,
      circumstances: {
        k6: record.versions.k6,
        loadctl: record.versions.loadctl,
        'started on': record.by.host,
        target: record.target.url,
        window: windowOf(summary.durationMs, record.plan.steady),
      },
      numbers: [...gated, ...shown.filter(({ name }) => !names.has(name))],
    },
  };
}

function windowOf(durationMs: Milliseconds, steady: Judgement['record']['plan']['steady']): string {
  return formatDuration(Math.round((steady === undefined ? durationMs : steady.to - steady.from) / 1000) * 1000);
}

/** A limit of the profile or a threshold of the script, where one can say how its value varies; undefined where not. */
function gatedNumber(criterion: JudgedCriterion, all: EndpointNumbers): RunNumber | undefined {
  const { name, source, metric, actual, low, high, unit, limit } = criterion;
  if (source === 'server' || actual === null) return undefined;
  const worse = limit.startsWith('<') ? 'higher' : limit.startsWith('>') ? 'lower' : undefined;
  if (worse === undefined) return undefined;
  const number = { name, unit, worse, gated: true, value: actual } as const;
  if (unit === 'ms' || unit === '/s')
    return { ...number, scale: 'ratio', ...(low === null ? {} : { low }), ...(high === null ? {} : { high }) };
  return metric === 'http_req_failed' && unit === '%' ? { ...number, scale: 'events', of: all.requests } : undefined;
}

function overall({ requests, errors, latency, requestsPerSecond }: EndpointNumbers): RunNumber[] {
  const rate = { name: 'throughput', unit: '/s', scale: 'ratio', worse: 'lower', gated: false } as const;
  const failed = { name: 'errors', unit: '%', scale: 'events', worse: 'higher', gated: false, of: requests } as const;
  return [
    ...latencies('', latency),
    ...(requestsPerSecond === undefined ? [] : [{ ...rate, value: requestsPerSecond }]),
    ...(errors === undefined ? [] : [{ ...failed, value: errors }]),
  ];
}

function latencies(of: string, latency: LiveLatency | undefined): RunNumber[] {
  return Object.entries(latency ?? {}).map(([name, { value, low, high }]) => ({
    name: `${of}${name}`,
    unit: 'ms',
    scale: 'ratio',
    worse: 'higher',
    gated: false,
    value,
    low,
    high,
  }));
}

function ofEndpoint({ name, latency }: EndpointNumbers & { readonly name: string }): RunNumber[] {
  return latencies(`${name} `, latency).filter((one) => one.name === `${name} p95`);
}
