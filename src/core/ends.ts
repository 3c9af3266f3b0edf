const outOfReach = 'EHOSTUNREACH';

/** The error of a process that is gone, where nobody knows how it ended. */
export const vanished = 'ESRCH';

const errorTexts: Readonly<Record<string, string>> = {
  [outOfReach]: 'its host cannot be reached any more',
  [vanished]: 'its process ended; how is unknown',
};

/** How a process ended, in words that go into brackets. */
export function howItEnded({
  exitCode,
  signal,
  error,
}: {
  readonly exitCode?: number;
  readonly signal?: string;
  readonly error?: string;
}): string {
  if (error !== undefined) return errorTexts[error] ?? error;
  return signal === undefined ? `exit code ${exitCode ?? '?'}` : `killed by ${signal}`;
}
