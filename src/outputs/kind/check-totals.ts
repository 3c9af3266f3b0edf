import type { LoggedEvent } from '../../core/events.js';

/** How often a check held and did not, with the tags that k6 gives its samples. */
export interface CheckTotal {
  readonly tags: Readonly<Record<string, string>>;
  readonly passes: number;
  readonly fails: number;
}

/** What the checks of a run came to; those that are not told one by one are one without a name. */
export function checkTotals({ script, checks = [] }: Extract<LoggedEvent, { type: 'measured' }>): CheckTotal[] {
  const named = checks.map(({ name, group, passes, fails }) => ({
    tags: { check: name, ...(group === '' ? {} : { group }) },
    passes,
    fails,
  }));
  const rest = (side: 'passes' | 'fails') => Math.max(0, (script.checks?.[side] ?? 0) - named.reduce((sum, one) => sum + one[side], 0));
  const others = { tags: {}, passes: rest('passes'), fails: rest('fails') };
  return [...named, others].filter(({ passes, fails }) => passes + fails > 0);
}
