import type { Criterion } from '../../core/criterion.js';
import type { LoggedEvent } from '../../core/events.js';
import { formatLimit } from '../../metrics/limit-text.js';
import type { Plan } from '../../plan/plan.js';

/**
 * Events as databases are to hear of them, which know limits by their names alone: without what only ends a run early (`abort`
 * has another limit for the same monitor, and is not met where all is well), and with names that tell two limits of one name apart.
 */
export function judgedLimits({ criteria }: Pick<Plan, 'criteria'>): (event: LoggedEvent) => LoggedEvent {
  const textOf = (limit: Criterion) => `${limit.metric} ${formatLimit(limit)}`;
  const judged = new Set(criteria.filter(({ source }) => source === 'server').map(textOf));
  const nameOf = (name: string, source: Criterion['source'], limit: string) => {
    const same = criteria.filter((one) => one.name === name).length + (source === 'script' ? 1 : 0);
    return same > 1 ? `${name} ${limit}` : name;
  };
  const named = (limit: Criterion): Criterion => ({ ...limit, name: nameOf(limit.name, limit.source, formatLimit(limit)) });
  return (event) => {
    switch (event.type) {
      case 'servers-sampled': {
        const samples = event.samples.filter(({ limit }) => judged.has(textOf(limit)));
        return { ...event, samples: samples.map((sample) => ({ ...sample, limit: named(sample.limit) })) };
      }
      case 'limit-breached':
      case 'limit-recovered':
        return { ...event, limit: named(event.limit) };
      case 'judged': {
        const all = event.verdict.criteria.map((one) => ({ ...one, name: nameOf(one.name, one.source, one.limit) }));
        return { ...event, verdict: { ...event.verdict, criteria: all } };
      }
      default:
        return event;
    }
  };
}
