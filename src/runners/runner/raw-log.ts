/**
 * How much of what a runner says is kept, in bytes: the beginning, and the end, where k6 says why it ended. Together 64 MB.
 */
export const logLimits = { first: 63 * 1024 * 1024, last: 1024 * 1024 } as const;

/** The files that the agent keeps that in. They hold secrets, as the script said them. */
export const rawLog = { first: 'log', last: 'log-end' } as const;
