import type { RunId } from '../core/ids.js';
import type { EpochMs } from '../core/quantities.js';
import type { Whole } from '../core/secrets.js';
import { uuidPrefix } from '../core/uuids.js';
import type { Plan } from '../plan/plan.js';
import type { CleanupEntry } from '../plan/sections.js';

/** What a script's variables are made from besides the plan. */
export interface RunFacts {
  readonly run: RunId;
  readonly startedAt: EpochMs;
  readonly targetUrl: string;
}

/**
 * Every variable that a script sees as `__ENV`, the same on all runners (docs/script-contract.md). The profile's
 * `workload.env` and `-e` come last: they may change all of them but those that guards and cleanup rely on, which the
 * profile's rules keep.
 */
export function scriptVariables(plan: Whole<Plan>, facts: RunFacts): Record<string, string> {
  const { draws, pacing, cleanup } = plan;
  return {
    BASE_URL: facts.targetUrl,
    LOADCTL_RUN: facts.run,
    LOADCTL_ENVIRONMENT: plan.environment,
    LOADCTL_RUNNERS: String(plan.runners.length),
    LOADCTL_VIRTUAL_USER_PREFIX: `${writtenPrefix(cleanup?.prefix)}${facts.run}-`,
    LOADCTL_ENDPOINTS: JSON.stringify(draws.endpoints),
    LOADCTL_MIX: JSON.stringify(draws.mix),
    LOADCTL_SESSIONS: JSON.stringify(draws.sessions),
    LOADCTL_STEPS: JSON.stringify(draws.steps),
    ...(pacing === undefined ? {} : { LOADCTL_PACING_MS: String(pacing) }),
    ...ownIds(cleanup?.entries ?? []),
    ...userVariables(plan.users, facts.startedAt),
    ...plan.env,
  };
}

const usualPrefix = 'load-test-user-';

/** What ids of virtual users begin with: within reach of a cleanup by `prefix`. */
function writtenPrefix(prefix = usualPrefix): string {
  return usualPrefix.startsWith(prefix) ? usualPrefix : prefix;
}

/** Where rows or keys are found again by a UUID that the script makes: how it has to begin. */
function ownIds(entries: readonly CleanupEntry[]): Record<string, string> {
  const prefixes = entries.flatMap((entry) => ('uuid' in entry && entry.uuid !== undefined ? [[entry.uuid, uuidPrefix(entry.uuid)]] : []));
  return prefixes.length === 0 ? {} : { LOADCTL_UUID_PREFIXES: JSON.stringify(Object.fromEntries(prefixes)) };
}

function userVariables(users: Plan['users'], startedAt: EpochMs): Record<string, string> {
  if (users === undefined) return {};
  if (users.strategy === 'pool') {
    const { count, id, random } = users;
    const chance = random === undefined ? {} : { LOADCTL_POOL_RANDOM: random };
    return { LOADCTL_STRATEGY: 'pool', LOADCTL_POOL_SIZE: String(count), LOADCTL_POOL_ID: id, ...chance };
  }
  return {
    LOADCTL_STRATEGY: 'bypass',
    LOADCTL_BYPASS_KEY: users.key,
    LOADCTL_BYPASS_EXPIRES: String(Math.ceil((startedAt + users.expires) / 1000)),
    ...(users.header === undefined ? {} : { LOADCTL_BYPASS_HEADER: users.header }),
  };
}
