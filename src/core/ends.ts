const outOfReach = 'EHOSTUNREACH';

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
  if (error !== undefined) return error === outOfReach ? 'its host cannot be reached any more' : error;
  return signal === undefined ? `exit code ${exitCode ?? '?'}` : `killed by ${signal}`;
}
