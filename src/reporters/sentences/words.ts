import type { ExitReason } from '../../core/errors.js';
import { formatCount, formatDuration, type PerSecond, trimNumber } from '../../core/quantities.js';

const said: Readonly<Record<ExitReason, string>> = {
  pass: 'passed',
  bug: 'a bug in loadctl',
  usage: 'wrong usage',
  'sla-failed': 'the SLA was not met',
  'invalid-profile': 'the profile or the script is invalid',
  interrupted: 'interrupted',
  'setup-timeout': 'setup() took too long',
  'teardown-timeout': 'teardown() took too long',
  'script-threw': 'the script threw',
  'test-aborted': 'the script aborted the test',
  'test-failed': 'the script marked the test as failed',
  'result-invalid': 'the result is invalid',
  refused: 'refused',
  'cleanup-not-proven': 'the cleanup is not proven',
  'seeding-failed': 'seeding failed',
  unavailable: 'something needed is missing or unreachable',
};

/** Ways to end in people's words: `the SLA was not met, interrupted`. */
export function reasonsInWords(reasons: readonly ExitReason[]): string {
  return reasons.map((reason) => said[reason]).join(', ');
}

/** `1,234/s`, `12.5/s`, `0.05/s`. */
export function formatRate(rate: PerSecond): string {
  return `${rate >= 100 ? formatCount(rate) : trimNumber(rate, rate >= 10 ? 1 : 2)}/s`;
}

/** `1 runner`, `2 runners`, `1,000 rows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A time that something took; nothing below 100 ms. */
export function took(elapsedMs: number): string {
  return elapsedMs < 100 ? '' : ` (${formatDuration(elapsedMs)})`;
}
