import type { Redactor } from '../../core/redactor.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { Tags } from '../../metrics/series.js';

/** The same numbers, whose series have no secret among their tags: a URL that k6 names a request by may hold one. */
export function cleanNumbers(numbers: LiveNumbers, redact: Redactor): LiveNumbers {
  const known = new WeakMap<Tags, Tags>();
  const clean = (tags: Tags) => {
    const cleaned = known.get(tags) ?? Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, redact.name(value)]));
    known.set(tags, cleaned);
    return cleaned;
  };
  return {
    ...numbers,
    series: () => numbers.series().map((one) => ({ ...one, state: { ...one.state, tags: clean(one.state.tags) } })),
  };
}
