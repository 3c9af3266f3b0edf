import type { AbortRule, Criterion } from '../core/criterion.js';
import type { Milliseconds, PerSecond, Share } from '../core/quantities.js';
import type { PlanWarning } from '../core/warnings.js';
import type { JudgedMonitor } from '../metrics/servers/monitor.js';
import type { LoadedProfile } from '../profile/load.js';
import { judgedMonitors } from '../profile/sections/judged-monitors.js';
import type { Profile } from '../profile/sections/schema.js';
import { resolveLimit } from '../profile/sections/server-limits.js';
import { shownSections } from './access.js';
import type { BackendFacts } from './backend.js';
import { contentHash, fingerprint } from './canonical.js';
import { isLoopback, machinePlace, placeOf, placeText, storePlaces } from './hosts.js';
import { monitorPlaces } from './monitors.js';
import { exact, iterationsPerSecond, type PlannedEndpoint, plannedEndpoints } from './requests.js';
import type { PlannedSections } from './sections.js';
import { cutSegments, type RunnerSegment } from './segments.js';
import { refuseUnreachableWrites } from './unreachable-writes.js';
import { planWarnings } from './warnings.js';

/** The version of {@link Plan}, and of the files that hold one. */
export const planVersion = 2;

/**
 * What a run does, made without doing it, and all that a run asks: nothing of the profile is read again. Plain JSON without
 * secrets: a run directory keeps it, and a file of it can be approved. What else is needed is the {@link Access} to it.
 */
export interface Plan extends PlannedSections {
  readonly version: typeof planVersion;
  readonly environment: string;
  /** Absolute: where it lies on this machine. Not in the hash. */
  readonly script: string;
  /** The script and the local files that it names, each relative to the script's folder. */
  readonly scriptFiles: readonly ScriptFile[];
  /** Missing where the script's own scenarios and options make the load. */
  readonly load?: PlannedLoad;
  /** How much of the script's own VUs and rates is wanted; all of it where it is missing. */
  readonly scale?: Share;
  /** Variables of {@link PlannedSections.env} that only the script may see, though k6 has options of their names. */
  readonly scriptOnly?: readonly string[];
  /** How often a VU begins an iteration (closed model), as the script is told; missing in the open model. */
  readonly pacing?: Milliseconds;
  /** The judged window, counted from the start; the whole test where it is missing. */
  readonly steady?: { readonly from: Milliseconds; readonly to: Milliseconds };
  readonly iterationsPerSecond?: PerSecond;
  readonly requestsPerSecond?: PerSecond;
  readonly endpoints: readonly PlannedEndpoint[];
  readonly runners: readonly RunnerSegment[];
  /** Hosts as `host` or `host:port`. */
  readonly stores: readonly { readonly name: string; readonly kind: string; readonly hosts: readonly string[] }[];
  /** The profile's `sla`, then its `critical`. */
  readonly criteria: readonly Criterion[];
  /** When the test is ended before its time. */
  readonly abort: readonly AbortRule[];
  /** Every host of target, stores, runners and monitors, without ports. */
  readonly hosts: readonly string[];
  /** What else the profile lets be reached: hosts that only a cluster itself names. */
  readonly allow: readonly string[];
  /** Whether a limit that nothing measures makes the result invalid. */
  readonly strict: boolean;
  /** What the limits for the servers are measured by. */
  readonly judgedMonitors: readonly JudgedMonitor[];
  /** Those that are not this machine. */
  readonly beyondLoopback: readonly string[];
  /** What this run cannot show however well it goes. */
  readonly warnings: readonly PlanWarning[];
  /**
   * sha256 (hex) of all the above, of the effective profile without its secrets, and of the script's variables. Nothing of it
   * is this machine's own: the same project has the same hash in another folder and under another user.
   */
  readonly hash: string;
}

/** A file that a script is made of. */
export interface ScriptFile {
  readonly file: string;
  /** In hex. */
  readonly sha256: string;
}

/** The load that a profile asks for. */
export interface PlannedLoad {
  readonly vus: number;
  readonly rate?: PerSecond;
  readonly duration: Milliseconds;
  readonly ramp?: Milliseconds;
}

/** What a plan is made from besides the script. */
export interface PlanSources extends Pick<LoadedProfile, 'profile' | 'shown' | 'portable' | 'scriptVariables' | 'scriptOnly'> {
  readonly backend: Pick<BackendFacts, 'hosts'>;
}

/** Plans a run. Throws `refused` where the cleanup could not reach what the test writes. */
export function makePlan(sources: PlanSources, scriptFiles: readonly ScriptFile[] = []): Plan {
  const plan = planWithoutHash(sources, scriptFiles);
  refuseUnreachableWrites(sources.profile, plan.endpoints);
  const variables = fingerprint(sources.scriptVariables);
  return { ...plan, hash: contentHash({ plan: withoutPlaces(plan), profile: sources.portable, variables }) };
}

/** What of a plan names places of this machine: the profile has them, too, and portably. */
function withoutPlaces({ script: _script, target, ...plan }: Omit<Plan, 'hash'>): unknown {
  return { ...plan, target: 'live' in target ? { ...target, live: { ...target.live, command: undefined } } : target };
}

function planWithoutHash({ profile, shown, backend, scriptOnly }: PlanSources, scriptFiles: readonly ScriptFile[]): Omit<Plan, 'hash'> {
  const { workload, runners, environment } = profile;
  const sections = shownSections({ shown });
  const judged = judgedMonitors(profile);
  const endpoints = plannedEndpoints(workload);
  const requestsPerSecond = sumOf(endpoints.map(({ perSecond }) => perSecond));
  const stores = Object.entries(profile.stores).map(([name, store]) => ({ name, kind: store.kind, places: storePlaces(store) }));
  const places = [
    ...stores.flatMap((store) => store.places),
    ...backend.hosts.map(machinePlace),
    ...sections.monitors.flatMap(monitorPlaces),
  ];
  const hosts = [...new Set([...targetHosts(profile.target), ...places.map(({ host }) => host)])];
  const load = plannedLoad(workload);
  const steady = judgedWindow(workload);
  const measured = (criterion: Criterion) => measurable(criterion, judged);
  const criteria = [...profile.sla, ...profile.critical].map(measured);
  const abort = profile.abort.map((rule) => ({ ...rule, when: measured(rule.when) }));
  const windowMs = steady === undefined ? load?.duration : steady.to - steady.from;
  return {
    version: planVersion,
    environment,
    script: workload.script,
    scriptFiles,
    ...sections,
    ...present('load', load),
    ...present('scale', workload.scale),
    ...(scriptOnly.length === 0 ? {} : { scriptOnly }),
    ...present('pacing', workload.rate === undefined ? workload.pacing : undefined),
    ...present('steady', steady),
    ...present('iterationsPerSecond', iterationsPerSecond(workload)),
    ...present('requestsPerSecond', requestsPerSecond),
    endpoints,
    runners: cutSegments(runners.count),
    stores: stores.map((store) => ({ name: store.name, kind: store.kind, hosts: store.places.map(placeText) })),
    criteria,
    abort,
    hosts,
    allow: profile.guards.allow,
    strict: profile.guards.level === 'production',
    judgedMonitors: judged,
    beyondLoopback: hosts.filter((host) => !isLoopback(host)),
    warnings: planWarnings({
      rules: abort,
      monitors: judged,
      criteria,
      windowMs,
      requestsPerSecond,
      probed: profile.target.health !== undefined,
    }),
  };
}

/** A limit for the servers in the terms of what measures it; as it is where nothing does. */
function measurable(criterion: Criterion, monitors: readonly JudgedMonitor[]): Criterion {
  if (criterion.source !== 'server') return criterion;
  const resolved = resolveLimit(criterion, monitors);
  return 'limit' in resolved ? resolved.limit : criterion;
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

function targetHosts(target: Profile['target']): string[] {
  const health = target.health?.startsWith('/') || target.health === 'tcp:' ? undefined : target.health;
  const urls = [target.url, health, target.colours?.blue, target.colours?.green, target.live?.url].filter((url) => url !== undefined);
  return urls.map((url) => placeOf(url).host);
}
