/**
 * Every way a command can end, with its exit status. k6's numbers where the meaning is k6's
 * (https://github.com/grafana/k6/blob/master/errext/exitcodes/codes.go), ours from 111 on.
 */
export const exitStatus = {
  pass: 0,
  bug: 1,
  usage: 2,
  'sla-failed': 99,
  'setup-timeout': 100,
  'teardown-timeout': 101,
  'invalid-profile': 104,
  interrupted: 105,
  'script-threw': 107,
  'test-aborted': 108,
  'test-failed': 110,
  'result-invalid': 111,
  refused: 112,
  'cleanup-not-proven': 113,
  'seeding-failed': 114,
  unavailable: 115,
} as const;

/** The name of a way to end; the key of {@link exitStatus}. */
export type ExitReason = keyof typeof exitStatus;

/** Most urgent first: where several hold, the first of these is the exit status (design §3). */
const urgency: readonly ExitReason[] = [
  'bug',
  'cleanup-not-proven',
  'refused',
  'seeding-failed',
  'unavailable',
  'interrupted',
  'script-threw',
  'setup-timeout',
  'teardown-timeout',
  'test-aborted',
  'result-invalid',
  'test-failed',
  'sla-failed',
];

/** The reason whose status a command with all of `reasons` exits with. Usage and profile errors end a command alone. */
function mostUrgent(reasons: readonly ExitReason[]): ExitReason {
  return urgency.find((reason) => reasons.includes(reason)) ?? reasons.find((reason) => reason !== 'pass') ?? 'pass';
}

/** What is told of a command's end in JSON: its status, and every one that holds. */
export interface ExitCodes {
  readonly exitCode: number;
  readonly exitCodes: readonly number[];
}

/** The exit codes of these reasons; `exitCodes` is empty where all passed. */
export function exitCodesOf(reasons: readonly ExitReason[]): ExitCodes {
  const holding = reasons.filter((reason) => reason !== 'pass');
  return { exitCode: exitStatus[mostUrgent(holding)], exitCodes: [...new Set(holding.map((reason) => exitStatus[reason]))] };
}

/** What an error carries besides its message. */
export interface ErrorDetails {
  /** One action that mends it, as a sentence. */
  readonly hint?: string;
  /** Further lines, shown as they are: a code frame, a list of rows. */
  readonly lines?: readonly string[];
  readonly cause?: unknown;
}

/**
 * An expected failure: something the user can mend. The innermost layer that knows the fix makes it; only the shell
 * prints it. Anything else that is thrown is a bug (exit 1).
 */
export class LoadctlError extends Error {
  readonly reason: Exclude<ExitReason, 'pass' | 'bug'>;
  readonly hint: string | undefined;
  readonly lines: readonly string[];

  constructor(reason: Exclude<ExitReason, 'pass' | 'bug'>, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'LoadctlError';
    this.reason = reason;
    this.hint = details.hint;
    this.lines = details.lines ?? [];
  }
}

/** The system's or a driver's error code (`ENOENT`, `28P01`), where an unknown thrown value has one. */
export function errorCode(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The message of whatever was thrown; an AggregateError without one says its first cause's. */
export function errorMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return errorMessage(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** An expected failure as data: what events, `--json` and a replay tell of it. */
export interface ErrorData {
  /** The way to end that it means. */
  readonly code: ExitReason;
  readonly message: string;
  readonly hint?: string;
  readonly lines?: readonly string[];
}

/** An error as data; anything but a {@link LoadctlError} is a bug. */
export function errorData(error: unknown): ErrorData {
  if (!(error instanceof LoadctlError)) return { code: 'bug', message: errorMessage(error) };
  const { reason, message, hint, lines } = error;
  return { code: reason, message, ...(hint === undefined ? {} : { hint }), ...(lines.length === 0 ? {} : { lines }) };
}
