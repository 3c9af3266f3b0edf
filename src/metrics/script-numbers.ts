import type { CheckNumbers, ScenarioNumbers, ScriptNumbers } from '../core/events.js';
import type { Milliseconds } from '../core/quantities.js';
import { failingChecks } from './culprits.js';
import { baseName, subMetricKey, tagsIn } from './metric-key.js';
import type { Summary, SummaryGroup, SummaryMetric } from './summary.js';
import { windowFinder } from './window.js';

/** As many as are told of each kind. */
const most = 30;

/** What k6 has metrics of by itself; and loadctl's own. */
const builtIn =
  /^(vus|vus_max|checks|iterations|iteration_duration|dropped_iterations|group_duration|http_reqs|(http_req|data|ws|grpc|browser|loadctl)_\w+)$/;

/** Whether a metric is the script's own, by its key. */
export function isOfScript(key: string): boolean {
  return !builtIn.test(baseName(key));
}

/** What a script shows of itself, as k6 would, whether or not a limit asks for it. */
export function scriptNumbers(summary: Summary, windowMs: Milliseconds): ScriptNumbers {
  const { metrics, rootGroup } = summary;
  const { passes = 0, fails = 0 } = metrics.checks?.values ?? {};
  const failing = failingChecks(rootGroup).map(({ name, path, passes: held, fails: broke }) => ({
    name,
    path,
    passes: held,
    fails: broke,
  }));
  const dropped = metrics.dropped_iterations?.values.count ?? 0;
  return {
    ...(passes + fails === 0 ? {} : { checks: { passes, fails, failing: failing.slice(0, most) } }),
    ...(dropped === 0 ? {} : { droppedIterations: dropped }),
    scenarios: scenariosOf(summary, windowMs),
    metrics: customMetrics(metrics),
  };
}

/** A script that names its checks by ids has one for each. */
const mostChecks = 500;

/** Every check of the script, group by group. */
export function checkNumbers(root: SummaryGroup): CheckNumbers[] {
  const within = ({ path, checks, groups }: SummaryGroup): CheckNumbers[] => [
    ...checks.map(({ name, passes, fails }) => ({ name, group: path, passes, fails })),
    ...groups.flatMap(within),
  ];
  return within(root).slice(0, mostChecks);
}

/** The script's own metrics, but for their sub-metrics. */
function customMetrics(metrics: Summary['metrics']): ScriptNumbers['metrics'] {
  const own = Object.entries(metrics).filter(([key]) => !key.includes('{') && isOfScript(key));
  return own
    .filter(([, metric]) => hasSamples(metric))
    .slice(0, most)
    .map(([name, { type, contains, values }]) => ({ name, type, contains, values }));
}

function hasSamples({ type, values }: SummaryMetric): boolean {
  if (type === 'rate') return values.rate !== undefined;
  return type === 'gauge' ? values.value !== undefined : (values.count ?? 0) > 0;
}

/** One by one, where there are several. */
function scenariosOf({ metrics }: Summary, windowMs: Milliseconds): ScenarioNumbers[] {
  const names = Object.keys(metrics).flatMap((key) => (baseName(key) === 'iterations' ? (tagsIn(key).scenario ?? []) : []));
  const distinct = [...new Set(names)];
  if (distinct.length < 2) return [];
  const find = windowFinder(metrics);
  return distinct.slice(0, most).map((name) => {
    const read = (metric: string, stat: string) => find(subMetricKey(metric, { scenario: name }))?.values[stat];
    const iterations = read('iterations', 'count') ?? 0;
    const requests = read('http_reqs', 'count') ?? 0;
    const [errors, p95] = [read('http_req_failed', 'rate'), read('http_req_duration', 'p(95)')];
    const dropped = metrics[subMetricKey('dropped_iterations', { scenario: name })]?.values.count ?? 0;
    return {
      name,
      iterations,
      ...(windowMs > 0 ? { iterationsPerSecond: iterations / (windowMs / 1000) } : {}),
      requests,
      ...(requests === 0 || errors === undefined ? {} : { errors }),
      ...(requests === 0 || p95 === undefined ? {} : { p95 }),
      ...(dropped === 0 ? {} : { dropped }),
    };
  });
}
