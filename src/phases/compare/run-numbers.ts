import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { EndpointNumbers, LiveLatency } from '../../core/events.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { JudgedCriterion } from '../../core/verdict.js';
import type { RunNumber, RunNumbers } from '../../metrics/compare/numbers.js';
import { type WithinRun, withinRun } from '../../metrics/compare/within-run.js';
import { measuredNumbers } from '../../metrics/endpoint-numbers.js';
import { workloadParts } from '../../plan/workload-hash.js';
import { listRuns } from '../../runs/find.js';
import { runsRoot } from '../../runs/layout.js';
import type { RunWatcher } from '../../runs/lock.js';
import { damaged, madeOf } from '../../runs/read.js';
import { readRunRecord } from '../../runs/record.js';
import { foldHistograms } from '../verify/histogram-lines.js';
import { type Judgement, judgeRun, wholeTest } from '../verify/judgement.js';
import { requireOver } from '../verify/verify.js';
import { numbersMisfit } from './numbers-shape.js';

/** What is known of a run for a comparison, or why it cannot be compared. */
export type Comparable = { readonly numbers: RunNumbers } | { readonly unfit: 'invalid' | 'interrupted' | 'nothing measured' };

/** Reads what a run measured. Throws `unavailable` for one that is still going on, or whose directory is damaged. */
export async function runNumbers(directory: string, world: RunWatcher): Promise<Comparable> {
  return madeOf(directory, async () => {
    await requireOver(directory, world);
    const judgement = await judgeRun(directory);
    const found = comparable(judgement, await errorsWithin(directory, judgement));
    const wrong = 'numbers' in found ? numbersMisfit(found.numbers) : undefined;
    if (wrong !== undefined) throw damaged(directory, wrong);
    return found;
  });
}

/**
 * The runs below a working directory with a valid result, newest first, of those that made the same load as `like` where that is
 * given. What is going on, or cannot be read, is left out.
 */
export async function* validRuns(
  cwd: string,
  world: RunWatcher,
  like?: Pick<RunNumbers, 'environment' | 'workload'>,
): AsyncGenerator<RunNumbers> {
  for (const run of await listRuns(cwd)) {
    const directory = join(runsRoot(cwd), run);
    const one = await numbersWhereLike(directory, world, like).catch((error: unknown) => {
      if (!(error instanceof LoadctlError)) throw error;
    });
    if (one !== undefined && 'numbers' in one) yield one.numbers;
  }
}

/** To judge a run takes longer than to see that it is of another load. */
async function numbersWhereLike(
  directory: string,
  world: RunWatcher,
  like: Pick<RunNumbers, 'environment' | 'workload'> | undefined,
): Promise<Comparable | undefined> {
  if (like !== undefined) {
    const { environment, workload } = await readRunRecord(directory);
    if (environment !== like.environment || workload !== like.workload) return undefined;
  }
  return runNumbers(directory, world);
}

/** How far the numbers of a run may be off by what happened within it. */
async function errorsWithin(directory: string, { record, summary }: Judgement): Promise<WithinRun> {
  const durationMs = summary?.durationMs ?? 0;
  const { from, to } = record.plan.steady ?? { from: 0, to: durationMs };
  const within = withinRun({ from, to: Math.min(to, durationMs) });
  await foldHistograms(directory, within.add);
  return within;
}

function comparable({ record, summary, verdict }: Judgement, within: WithinRun): Comparable {
  const { verdict: word, criteria } = verdict;
  if (word !== 'pass' && word !== 'fail') return { unfit: word };
  if (summary === undefined) return { unfit: 'nothing measured' };
  const { all, endpoints } = measuredNumbers(summary, record.plan.steady);
  const { gated, beside } = gatedNumbers(criteria, all, record.plan.steady !== undefined);
  const shown = [...overall(all), ...endpoints.flatMap(ofEndpoint)];
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
        ...workloadParts(record.plan),
      },
      numbers: [...gated.values(), ...shown.filter(({ name }) => !gated.has(name))].map((one) => withError(one, within)),
      ...(beside.length === 0 ? {} : { limitsBeside: beside }),
    },
  };
}

function withError(number: RunNumber, { read }: WithinRun): RunNumber {
  const within = number.scale === 'ratio' ? read(number.name) : undefined;
  return within === undefined ? number : { ...number, within };
}

function windowOf(durationMs: Milliseconds, steady: Judgement['record']['plan']['steady']): string {
  return formatDuration(Math.round((steady === undefined ? durationMs : steady.to - steady.from) / 1000) * 1000);
}

/** What has a limit, each number once however many limits it has, and the limits for what cannot be compared. */
function gatedNumbers(criteria: readonly JudgedCriterion[], all: EndpointNumbers, isPart: boolean) {
  const gated = new Map<string, RunNumber>();
  const beside = new Set<string>();
  for (const criterion of criteria) {
    const number = gatedNumber({ ...criterion, name: numberName(criterion, isPart) }, all);
    if (number === undefined) beside.add(criterion.name);
    else if (!gated.has(number.name)) gated.set(number.name, number);
  }
  return { gated, beside: [...beside] };
}

/** The profile and the script call one number by different names, and two by one where a part of the test is judged. */
function numberName({ name, window }: JudgedCriterion, isPart: boolean): string {
  if (isPart && window.startsWith(wholeTest)) return `${name} (${wholeTest})`;
  const level = /^http_req_duration p\((\d+(?:\.\d+)?)\)$/.exec(name)?.[1];
  return level === undefined ? (profileNames.get(name) ?? name) : `p${level}`;
}

const profileNames: ReadonlyMap<string, string> = new Map([
  ['http_req_duration med', 'p50'],
  ['http_req_failed rate', 'errors'],
  ['http_reqs rate', 'throughput'],
]);

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
