import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase } from 'vitest/node';

/** Prints `N passed, N failed, N skipped`, alone on the last line; writes it to the file LOADCTL_TALLY, too. */
export default class Tally implements Reporter {
  readonly counts = { passed: 0, failed: 0, skipped: 0 };

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result();
    if (state !== 'pending') this.counts[state] += 1;
  }

  onTestRunEnd(modules: readonly { errors(): readonly unknown[] }[], unhandled: readonly unknown[]): void {
    const broken = modules.filter((module) => module.errors().length > 0).length;
    this.counts.failed += broken + unhandled.length;
    const { passed, failed, skipped } = this.counts;
    const line = `${passed} passed, ${failed} failed, ${skipped} skipped\n`;
    process.once('exit', () => process.stdout.write(line));
    if (process.env.LOADCTL_TALLY) appendFileSync(process.env.LOADCTL_TALLY, line);
  }
}
