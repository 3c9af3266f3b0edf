const unknownEnds: Readonly<Record<string, string>> = {
  EHOSTUNREACH: 'its host cannot be reached any more',
  ETIMEDOUT: 'it does not answer any more',
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
  if (error !== undefined) return unknownEnds[error] ?? error;
  return signal === undefined ? `exit code ${exitCode ?? '?'}` : `killed by ${signal}`;
}
