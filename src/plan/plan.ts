import type { Criterion } from '../core/criterion.js';
import { LoadctlError } from '../core/errors.js';
import type { Milliseconds, PerSecond } from '../core/quantities.js';
import type { PlanWarning } from '../core/warnings.js';
import type { CleanupCache, CleanupRows, Profile, SeedStep } from '../profile/sections/schema.js';
import { contentHash, fingerprint } from './canonical.js';
import { isLoopback, machinePlace, placeOf, placeText, storePlaces } from './hosts.js';
import { exact, iterationsPerSecond, type PlannedEndpoint, plannedEndpoints } from './requests.js';
import { cutSegments, type RunnerSegment } from './segments.js';
import { type PlannedTarget, plannedTarget } from './target.js';
import { planWarnings } from './warnings.js';

/** What a run will do, computed without doing it. Plain JSON without secrets: a run directory keeps it. */
export interface Plan {
  readonly version: 1;
  readonly environment: string;
  readonly target: PlannedTarget;
  /** Absolute. */
  readonly script: string;
  /** The script and the local files that it names, each relative to the script's folder. */
  readonly scriptFiles: readonly ScriptFile[];
  /** Missing where the script's own scenarios and options make the load. */
  readonly load?: PlannedLoad;
  /** The judged window, counted from the start; the whole test where it is missing. */
  readonly steady?: { readonly from: Milliseconds; readonly to: Milliseconds };
  readonly iterationsPerSecond?: PerSecond;
  readonly requestsPerSecond?: PerSecond;
  readonly endpoints: readonly PlannedEndpoint[];
  readonly backend: string;
  readonly runners: readonly RunnerSegment[];
  /** Hosts as `host` or `host:port`. */
  readonly stores: readonly { readonly name: string; readonly kind: string; readonly hosts: readonly string[] }[];
  readonly seed: readonly { readonly store: string; readonly what: string; readonly rows: number }[];
  readonly cleanup: readonly { readonly store: string; readonly what: string }[];
  /** The profile's `sla`, then its `critical`. */
  readonly criteria: readonly Criterion[];
  /** Every host of target, stores and runners, without ports. */
  readonly hosts: readonly string[];
  /** Those that are not this machine. */
  readonly beyondLoopback: readonly string[];
  /** What this run cannot show however well it goes. */
  readonly warnings: readonly PlanWarning[];
  /** sha256 (hex) of all the above, of the effective profile without its secrets, and of the script's variables. */
  readonly hash: string;
}

/** A file that a script is made of. */
export interface ScriptFile {
  readonly file: string;
  /** In hex. */
  readonly sha256: string;
}

/** What a plan is made from besides the profile. */
export interface PlanSources {
  /** The effective profile without its secrets. */
  readonly redacted: unknown;
  readonly scriptFiles?: readonly ScriptFile[];
  /** The values of `workload.env`, but for those that come out of secrets. */
  readonly scriptVariables?: Readonly<Record<string, string>>;
}

/** The load that a profile asks for. */
export interface PlannedLoad {
  readonly vus: number;
  readonly rate?: PerSecond;
  readonly duration: Milliseconds;
  readonly ramp?: Milliseconds;
}

/** Every id that a test writes begins with this, whatever the run. */
const writtenPrefix = 'load-test-user-';

/**
 * Plans a run. The script's absolute path is left out of the hash, so that the same profile and script have the same one
 * on another machine. Throws `refused` where the cleanup could not reach what the test writes.
 */
export function makePlan(profile: Profile, { redacted, scriptFiles = [], scriptVariables = {} }: PlanSources): Plan {
  const { script, ...rest } = planWithoutHash(profile, scriptFiles);
  refuseUnreachableWrites(profile, rest.endpoints);
  const variables = fingerprint(scriptVariables);
  return { ...rest, script, hash: contentHash({ plan: rest, profile: redacted, variables }) };
}

function planWithoutHash(profile: Profile, scriptFiles: readonly ScriptFile[]): Omit<Plan, 'hash'> {
  const { workload, runners } = profile;
  const endpoints = plannedEndpoints(workload);
  const requestsPerSecond = sumOf(endpoints.map(({ perSecond }) => perSecond));
  const stores = Object.entries(profile.stores).map(([name, store]) => ({ name, kind: store.kind, places: storePlaces(store) }));
  const hosts = hostsOf(
    profile,
    stores.flatMap(({ places }) => places.map(({ host }) => host)),
  );
  const load = plannedLoad(workload);
  const steady = judgedWindow(workload);
  const criteria = [...profile.sla, ...profile.critical];
  const windowMs = steady === undefined ? load?.duration : steady.to - steady.from;
  return {
    version: 1,
    environment: profile.environment,
    target: plannedTarget(profile.target),
    script: workload.script,
    scriptFiles,
    ...present('load', load),
    ...present('steady', steady),
    ...present('iterationsPerSecond', iterationsPerSecond(workload)),
    ...present('requestsPerSecond', requestsPerSecond),
    endpoints,
    backend: runners.backend,
    runners: cutSegments(runners.count),
    stores: stores.map(({ name, kind, places }) => ({ name, kind, hosts: places.map(placeText) })),
    seed: profile.seed.map((step) => ({ store: step.store, what: seedText(step), rows: step.rows })),
    cleanup: [...rowsOf(profile), ...cachesOf(profile)],
    criteria,
    hosts,
    beyondLoopback: hosts.filter((host) => !isLoopback(host)),
    warnings: planWarnings({
      profile,
      criteria,
      windowMs,
      requestsPerSecond,
      probed: profile.target.health !== undefined,
    }),
  };
}

function present<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: T });
}

function sumOf(rates: readonly (PerSecond | undefined)[]): PerSecond | undefined {
  if (rates.length === 0) return undefined;
  return rates.reduce<PerSecond | undefined>((sum, rate) => (sum === undefined || rate === undefined ? undefined : exact(sum + rate)), 0);
}

function plannedLoad({ vus, duration, rate, ramp }: Profile['workload']): PlannedLoad | undefined {
  if (duration === undefined) return undefined;
  return { vus: vus ?? 1, ...present('rate', rate), duration, ...present('ramp', ramp) };
}

function judgedWindow({ steady, ramp, duration }: Profile['workload']): Plan['steady'] {
  if (steady !== undefined || ramp === undefined || duration === undefined) return steady;
  return ramp > 0 && duration > 2 * ramp ? { from: ramp, to: duration - ramp } : undefined;
}

function hostsOf({ target, runners }: Profile, storeHosts: readonly string[]): string[] {
  const health = target.health?.startsWith('/') ? undefined : target.health;
  const urls = [target.url, health, target.colours?.blue, target.colours?.green, target.live?.url].filter((url) => url !== undefined);
  const machines = (runners.backend === 'ssh' ? (runners.hosts ?? []) : []).map((machine) => machinePlace(machine).host);
  return [...new Set([...urls.map((url) => placeOf(url).host), ...storeHosts, ...machines])];
}

function seedText(step: SeedStep): string {
  if ('table' in step) return `table ${step.schema === undefined ? '' : `${step.schema}.`}${step.table}`;
  return `${step.as === 'hash' ? 'hashes' : 'keys'} ${step.key}`;
}

function rowsOf({ cleanup }: Profile): Plan['cleanup'] {
  const which = (rows: Exclude<CleanupRows, { via: string }>) => {
    if ('range' in rows) return `is from ${rows.range.low} to ${rows.range.high}`;
    return 'uuid' in rows ? `is of the UUID namespace ${rows.uuid}` : `begins with ${cleanup?.prefix ?? ''}`;
  };
  const text = (rows: CleanupRows) =>
    'via' in rows ? `${rows.table}, by way of ${rows.via}` : `${rows.table} where ${rows.column} ${which(rows)}`;
  return (cleanup?.rows ?? []).map((rows) => ({ store: rows.store, what: text(rows) }));
}

function cachesOf({ cleanup, stores }: Profile): Plan['cleanup'] {
  const index = (name: string) => {
    const store = stores[name];
    return store?.kind === 'redis' && store.testDatabase !== undefined ? String(store.testDatabase) : '?';
  };
  const text = (cache: CleanupCache) => {
    if ('keys' in cache) return `keys ${cache.keys}`;
    if ('members' in cache) return `members ${cache.members} of ${cache.key}`;
    return cache.flush === 'everything' ? `everything in index ${index(cache.store)}` : `index ${index(cache.store)}, emptied`;
  };
  return (cleanup?.caches ?? []).map((cache) => ({ store: cache.store, what: text(cache) }));
}

/** A strategy whose writes the cleanup cannot reach is refused: they would stay for ever (design §2). */
function refuseUnreachableWrites({ stores, cleanup }: Profile, endpoints: readonly PlannedEndpoint[]): void {
  const writing = endpoints.filter(({ writes }) => writes).map(({ name }) => name);
  const databases = Object.entries(stores).filter(([, store]) => store.kind === 'postgres');
  if (writing.length === 0 || databases.length === 0) return;
  const writes = `The test writes (${writing.join(', ')})`;
  if (cleanup === undefined || cleanup.rows.length === 0) {
    throw new LoadctlError('refused', `${writes}, and the cleanup reaches none of it: cleanup.rows names no table.`, {
      hint: `List the tables that these requests fill, such as {store: ${databases[0]?.[0] ?? 'db'}, table: reservations, column: user_id}.`,
    });
  }
  if (!writtenPrefix.startsWith(cleanup.prefix)) {
    throw new LoadctlError(
      'refused',
      `${writes} ids of the form ${writtenPrefix}<run>-…, which do not begin with cleanup.prefix "${cleanup.prefix}".`,
      {
        hint: `Write cleanup.prefix: ${writtenPrefix}`,
      },
    );
  }
}
