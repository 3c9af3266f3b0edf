import { LoadctlError } from '../../core/errors.js';
import { isRefusal } from '../../stores/redis/connection/errors.js';

/** Whether a server itself refused something, and goes on. */
export function saidNo(error: unknown): boolean {
  const reason = error instanceof LoadctlError ? error.cause : error;
  return reason instanceof Error && isRefusal(reason);
}
