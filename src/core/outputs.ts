/** What people are told of a test, in the order in which it may happen. */
export const occasions = ['started', 'breach', 'recovered', 'passed', 'failed', 'invalid', 'interrupted', 'not-clean'] as const;

/** One of {@link occasions}. */
export type Occasion = (typeof occasions)[number];
