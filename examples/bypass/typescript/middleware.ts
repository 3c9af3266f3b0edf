import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkKey, idHeader, isVirtualUser, type Refusal, signatureHeader, verifyBypass } from './bypass.js';

/** What the middleware needs. */
export interface BypassOptions {
  /** The environment's key. Without one, every virtual user is refused: the right setting where no load test runs. */
  readonly key: string | undefined;
  /** How far ahead an expiry may lie, in seconds. */
  readonly maxTtl?: number;
  /** Another name for the signature header. */
  readonly header?: string;
  /** Now, in unix seconds. */
  readonly now?: () => number;
  /** Called with the id that was let through; what comes after it must not look the user up. */
  readonly onPassed?: (request: IncomingMessage, id: string) => void;
  /** Called with the reason, for the log; the caller is only told 401. */
  readonly onRefused?: (request: IncomingMessage, id: string, reason: Refusal | 'no-key') => void;
}

/** A step of node:http, Connect or Express. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * Lets a virtual user pass with a valid signature and answers 401 to one without; everybody else goes on to the usual
 * check untouched. Throws a RangeError at once for a key that is too short.
 */
export function bypassMiddleware(options: BypassOptions): Middleware {
  const { key, maxTtl, header = signatureHeader, now = () => Date.now() / 1000 } = options;
  if (key !== undefined) checkKey(key);
  return (request, response, next) => {
    const id = single(request, idHeader);
    if (id === undefined || !isVirtualUser(id)) return next();
    const reason = key === undefined ? 'no-key' : refusal(verifyBypass({ id, header: single(request, header), key, now: now(), maxTtl }));
    if (reason !== undefined) {
      options.onRefused?.(request, id, reason);
      response.writeHead(401, { 'Content-Type': 'application/json' }).end('{"error":"unauthorized"}');
      return;
    }
    options.onPassed?.(request, id);
    next();
  };
}

function refusal(result: ReturnType<typeof verifyBypass>): Refusal | undefined {
  return result.ok ? undefined : result.reason;
}

function single(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : value;
}
