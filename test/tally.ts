import { appendFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

interface Failure {
  readonly message: string;
  readonly diff?: string | undefined;
  readonly stack?: string | undefined;
}

/** Of one failure, so many characters say enough. */
const mostOfOne = 2000;

/**
 * Prints `N passed, N failed, N skipped`, alone on the last line. The file LOADCTL_TALLY gets it, too, below what failed: where
 * only the end of a long output is kept, that is what one needs.
 */
export default class Tally implements Reporter {
  readonly counts = { passed: 0, failed: 0, skipped: 0 };
  readonly failures: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state !== 'pending') this.counts[state] += 1;
    if (state === 'failed') this.failures.push(told(`${test.module.relativeModuleId} > ${test.fullName}`, errors));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Failure[]): void {
    const broken = modules.filter((module) => module.errors().length > 0);
    this.counts.failed += broken.length + unhandled.length;
    this.failures.push(...broken.map((module) => told(module.relativeModuleId, module.errors())));
    this.failures.push(...unhandled.map((error) => told('outside of a test', [error])));
    const { passed, failed, skipped } = this.counts;
    const line = `${passed} passed, ${failed} failed, ${skipped} skipped\n`;
    process.once('exit', () => process.stdout.write(line));
    if (process.env.LOADCTL_TALLY) appendFileSync(process.env.LOADCTL_TALLY, [...this.failures, line].join('\n'));
  }
}

function told(where: string, errors: readonly Failure[]): string {
  const what = errors.map(({ message, diff, stack }) => [message, diff, ownLines(stack)].filter(Boolean).join('\n')).join('\n');
  return `✖ ${where}\n${stripVTControlCharacters(what).slice(0, mostOfOne).replaceAll(/^/gm, '    ')}\n`;
}

function ownLines(stack = ''): string {
  const lines = stack.split('\n').filter((line) => /^\s+at /.test(line) && !line.includes('/node_modules/'));
  return lines.join('\n');
}
