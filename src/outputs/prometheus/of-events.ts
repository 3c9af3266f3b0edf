import type { LoggedEvent, Phase } from '../../core/events.js';
import { type CheckTotal, checkTotals } from '../kind/check-totals.js';
import type { KeptLine } from '../kind/kept-line.js';
import type { Labels, Sample } from './wire.js';

const phases: readonly Phase[] = ['seed', 'run', 'cleanup'];

/** Series of loadctl's own that an event changes: ratios of 1, seconds, bytes; limits and what they are held against in their own units. */
export function ownSamples(event: LoggedEvent, common: Labels): readonly Sample[] {
  const sample = (name: string, value: number, labels: Labels = {}): Sample => ({
    name: `loadctl_${name}`,
    labels: { ...common, ...labels },
    value,
  });
  switch (event.type) {
    case 'phase-started':
    case 'phase-finished': {
      const on = event.type === 'phase-started' ? event.phase : undefined;
      return phases.map((phase) => sample('phase', phase === on ? 1 : 0, { phase }));
    }
    case 'servers-sampled':
      return event.samples.flatMap(({ limit, value, holds }) => [
        sample('criterion_limit', limit.limit, { criterion: limit.name }),
        sample('criterion_actual', value, { criterion: limit.name }),
        sample('criterion_ok', holds ? 1 : 0, { criterion: limit.name }),
      ]);
    case 'limit-breached':
    case 'limit-recovered':
      return [sample('criterion_ok', event.type === 'limit-recovered' ? 1 : 0, { criterion: event.limit.name })];
    case 'measured':
      return checkTotals(event).flatMap((total) => checkSamples(total, common));
    case 'judged':
      return [
        sample('run_passed', event.verdict.verdict === 'pass' ? 1 : 0, { verdict: event.verdict.verdict }),
        ...event.verdict.criteria.flatMap(({ name, actual, outcome }) => [
          ...(actual === null ? [] : [sample('criterion_actual', actual, { criterion: name })]),
          sample('criterion_ok', outcome === 'pass' ? 1 : 0, { criterion: name }),
        ]),
      ];
    default:
      return [];
  }
}

/** As k6's own output names them; both sides are counted besides. */
function checkSamples({ tags, passes, fails }: CheckTotal, { testid }: Labels): Sample[] {
  const labels = { testid, ...tags };
  return [
    { name: 'k6_checks_rate', labels, value: passes / (passes + fails) },
    { name: 'k6_checks_total', labels: { ...labels, condition: 'nonzero' }, value: passes, grows: true },
    { name: 'k6_checks_total', labels: { ...labels, condition: 'zero' }, value: fails, grows: true },
  ];
}

/** The same of a line of one of the run's files. */
export function lineSamples({ file, line }: KeptLine, common: Labels): readonly Sample[] {
  if (file === 'monitors') {
    const { monitor, source, values = {} } = line;
    return Object.entries(values).map(([metric, value]) => ({
      name: 'loadctl_monitor_value',
      labels: { ...common, monitor, source, metric },
      value,
    }));
  }
  if (file !== 'generators') return [];
  const { runner, host, processCpu, processMemory, machineCpu } = line;
  const labels = { ...common, runner, host };
  return [
    { name: 'loadctl_runner_cpus', labels, value: processCpu },
    { name: 'loadctl_runner_memory_bytes', labels, value: processMemory },
    { name: 'loadctl_runner_machine_cpu_ratio', labels, value: machineCpu },
  ];
}
