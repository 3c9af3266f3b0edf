import { checkKey } from '../bypass/typescript/bypass.js';

/** How the service is set up. */
export interface ServiceOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** 127.0.0.1 where it is missing. */
  readonly host?: string;
  /** With it, virtual users pass with a signature made with it; without it, never. */
  readonly bypassKey?: string | undefined;
  /**
   * Whether a caller may write rows for a virtual user. Off by default, because it lets one caller write in the name
   * of another: on only where a load test with a pool of users runs, and even then only for ids that no account has.
   */
  readonly loadTest?: boolean;
  /** Every answer waits so long: a slow target, for tests of an SLA. */
  readonly slowMs?: number;
  /** Where unexpected errors are told; stderr where it is missing. */
  readonly log?: (line: string) => void;
}

/** A reason for the service not to start, that whoever starts it can mend. */
export class StartError extends Error {}

/** Reads the options from the environment's variables; throws a {@link StartError} that names the wrong one. */
export function readOptions(env: Readonly<Record<string, string | undefined>>): ServiceOptions {
  const { BYPASS_KEY: bypassKey } = env;
  if (bypassKey) acceptKey(bypassKey);
  return {
    databaseUrl: url(env, 'DATABASE_URL', 'postgres://postgres@127.0.0.1:5432/reservations'),
    redisUrl: url(env, 'REDIS_URL', 'redis://127.0.0.1:6379/1'),
    port: wholeNumber(env, 'PORT', 65_535),
    host: env.HOST || '127.0.0.1',
    bypassKey: bypassKey || undefined,
    loadTest: env.LOAD_TEST === '1',
    slowMs: wholeNumber(env, 'SLOW_MS', 600_000),
  };
}

function acceptKey(key: string): void {
  try {
    checkKey(key);
  } catch (error) {
    throw new StartError(`BYPASS_KEY: ${error instanceof Error ? error.message : error}`);
  }
}

function url(env: Readonly<Record<string, string | undefined>>, name: string, example: string): string {
  const value = env[name];
  if (!value) throw new StartError(`${name} is not set; for example ${name}=${example}`);
  // The value may hold a password: it is not shown.
  if (!URL.canParse(value)) throw new StartError(`${name} is not a URL; for example ${example}`);
  return value;
}

function wholeNumber(env: Readonly<Record<string, string | undefined>>, name: string, most: number): number {
  const value = env[name] || '0';
  const number = Number(value);
  if (/^\d+$/.test(value) && number <= most) return number;
  throw new StartError(`${name} is ${JSON.stringify(value)}; it must be a whole number from 0 to ${most}`);
}
