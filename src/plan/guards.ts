import { own } from '../core/own.js';
import { formatCount, formatDuration, type Milliseconds, type PerSecond, trimNumber } from '../core/quantities.js';
import { valuesMeant } from '../metrics/servers/monitor.js';
import type { Profile } from '../profile/sections/schema.js';
import { isInCloud, secretsThatLeave, vuHoursOf } from './cloud.js';
import { isLoopback } from './hosts.js';
import type { ForeseenLoad } from './inspection.js';
import type { Plan } from './plan.js';

/** One guard that says no, and what would satisfy it. */
export interface Refusal {
  readonly guard: 'allow' | 'cap' | 'abort' | 'shared-store' | 'confirm';
  readonly message: string;
  /** One action. */
  readonly fix: string;
}

/** What is about to be done. */
export interface GuardedAct {
  /** Whether it loads the target: caps and abort rules are about that. */
  readonly makesLoad: boolean;
  /** Whether a person typed the environment's name, or {@link isConfirmation} said yes; not needed for what only looks. */
  readonly confirmed: boolean;
  /** What was said in place of it, as a sentence; missing where nothing was. */
  readonly said?: string | undefined;
}

/** How much load is made, as far as it is known. */
interface LoadSize {
  readonly vus: number;
  readonly durationMs: Milliseconds;
  /** Missing as long as nobody knows it. */
  readonly iterationsPerSecond?: PerSecond | 'unbounded';
}

/**
 * Every guard that can be asked without a look at anything, and that refuses a plan (design §7). Where all hosts are this
 * machine there is one only: a store behind colours may be the live one's, whatever tunnel leads to it. `foreseen` is the load
 * of a script that makes its own: as long as nobody knows it, no cap is held against it.
 */
export function checkGuards(plan: Plan, profile: Profile, act: GuardedAct, foreseen?: ForeseenLoad): Refusal[] {
  const shared = checkSharedStores(profile, act);
  if (plan.beyondLoopback.length === 0 && !isInCloud(plan)) return shared;
  const forLoad = act.makesLoad ? [...checkCaps(profile.guards, sizeOf(plan, foreseen)), ...checkAbortRules(plan, profile)] : [];
  const confirmed = act.confirmed || !needsConfirmation(plan, profile);
  return [...checkHosts(plan, profile), ...forLoad, ...shared, ...(confirmed ? [] : [unconfirmed(plan, act.said)])];
}

/** Whether somebody has to say that this environment is meant: always where secrets of the script are to leave for a service. */
export function needsConfirmation(plan: Plan, { guards }: Profile): boolean {
  if (secretsThatLeave(plan).length > 0) return true;
  const isBeyond = plan.beyondLoopback.length > 0 || isInCloud(plan);
  return isBeyond && (guards.level === 'production' || guards.confirm !== false);
}

/** What LOADCTL_CONFIRM has to be for this plan. */
export function confirmationFor({ environment, hash }: Plan): string {
  return `${environment}@${shortHash(hash)}`;
}

/** Whether `text` (LOADCTL_CONFIRM) confirms this plan: `<environment>@<hash>`, of which 12 digits or more are given. */
export function isConfirmation(text: string | undefined, { environment, hash }: Plan): boolean {
  const [name, digits = ''] = (text ?? '').trim().split('@');
  return name === environment && digits.length >= shownDigits && hash.startsWith(digits);
}

const shownDigits = 12;

/** The part of a plan's hash that is shown. */
export function shortHash(hash: string): string {
  return hash.slice(0, shownDigits);
}

/** The caps that a load breaks: one on a rate that nothing bounds is broken, too. */
function checkCaps({ maxVus, maxRate, maxDuration, maxVuHours }: Profile['guards'], size: LoadSize | undefined): Refusal[] {
  if (size === undefined) return [];
  const rate = (value: number) => `${trimNumber(value, 2)} iterations/s`;
  const vus = (value: number) => `${formatCount(value)} VUs`;
  const vuHours = (value: number) => `${trimNumber(value, 2)} VU hours`;
  return [
    ...breach({ name: 'guards.maxVus', most: maxVus, say: vus }, size.vus),
    ...(size.iterationsPerSecond === 'unbounded'
      ? unbounded(maxRate, size.vus)
      : breach({ name: 'guards.maxRate', most: maxRate, say: rate }, size.iterationsPerSecond ?? 0)),
    ...breach({ name: 'guards.maxDuration', most: maxDuration, say: formatDuration }, size.durationMs),
    ...breach({ name: 'guards.maxVuHours', most: maxVuHours, say: vuHours }, vuHoursOf(size)),
  ];
}

/** A guard that limits how large a load may be. */
interface Cap {
  readonly name: string;
  /** Undefined where the profile sets none. */
  readonly most: number | undefined;
  readonly say: (value: number) => string;
}

function breach({ name, most, say }: Cap, value: number): Refusal[] {
  if (most === undefined || value <= most) return [];
  const message = `The load is ${say(value)}; ${name} allows ${say(most)}.`;
  return [{ guard: 'cap', message, fix: `Ask for less, or raise ${name}.` }];
}

/** VUs that pace themselves at nothing make as many iterations as the target lets them. */
function unbounded(maxRate: PerSecond | undefined, vus: number): Refusal[] {
  if (maxRate === undefined) return [];
  const least = Math.ceil((vus * 1000) / maxRate);
  const message = `guards.maxRate allows ${trimNumber(maxRate, 2)} iterations/s, and nothing bounds the rate of ${formatCount(vus)} VU${vus === 1 ? '' : 's'}.`;
  return [
    {
      guard: 'cap',
      message,
      fix: `Bound it: workload.options: {minIterationDuration: ${least}ms}, workload.pacing or rate, or an arrival-rate executor in the script.`,
    },
  ];
}

function sizeOf({ load, iterationsPerSecond }: Plan, foreseen: ForeseenLoad | undefined): LoadSize | undefined {
  const known = iterationsPerSecond ?? (foreseen && (foreseen.iterationsPerSecond ?? 'unbounded'));
  const rate: Pick<LoadSize, 'iterationsPerSecond'> = known === undefined ? {} : { iterationsPerSecond: known };
  if (load !== undefined) return { vus: load.vus, durationMs: load.duration, ...rate };
  return foreseen && { vus: foreseen.vus, durationMs: foreseen.durationMs, ...rate };
}

function checkHosts({ beyondLoopback }: Plan, { guards }: Profile): Refusal[] {
  return beyondLoopback
    .filter((host) => !guards.allow.some((entry) => covers(entry, host)))
    .map((host) =>
      host.includes('${')
        ? unknownHost(host)
        : {
            guard: 'allow',
            message: `${host} is not on the profile's list of allowed hosts.`,
            fix: `If it may be loaded, add it: guards.allow: [${host}]`,
          },
    );
}

/** Whether a host may be reached that no plan could know of: one that a cluster names when it is connected to. */
export function allowsHost({ guards }: Pick<Profile, 'guards'>, host: string): boolean {
  return allowsHostIn(guards.allow, host);
}

/** The same by what a plan took over of the guards. */
export function allowsHostIn(allow: readonly string[], host: string): boolean {
  return isLoopback(host) || allow.some((entry) => covers(entry, host));
}

/** A host in a variable that nobody has given: only a plan gets this far. */
function unknownHost(host: string): Refusal {
  return { guard: 'allow', message: `Which host ${host} is is unknown without the variable.`, fix: 'Set it, and plan again.' };
}

/** An entry is one host, or `*.example.com` for all hosts below it. */
export function covers(entry: string, host: string): boolean {
  const [allowed, name] = [entry.toLowerCase(), host.toLowerCase()];
  return allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) && name.length > allowed.length - 1 : name === allowed;
}

/** In production somebody must be watching: a rule about a server that no monitor measures does not. */
function checkAbortRules({ abort, judgedMonitors }: Plan, { guards }: Profile): Refusal[] {
  const isWatched = ({ when }: Plan['abort'][number]) => when.source === 'client' || valuesMeant(when.metric, judgedMonitors).length > 0;
  if (guards.level !== 'production' || abort.some(isWatched)) return [];
  return [
    {
      guard: 'abort',
      message: `guards: production requires an abort rule${abort.length > 0 ? ' that can be evaluated; no monitor provides the metrics yours use' : ''}.`,
      fix: 'Add one: abort: [{when: errors > 5%, for: 30s, after: 1m}]',
    },
  ];
}

/** Behind colours a store is taken to be the live colour's, too: what is done to it is done to those who use that one. */
function checkSharedStores(profile: Profile, { makesLoad }: GuardedAct): Refusal[] {
  const { target, stores, guards } = profile;
  if (target.colours === undefined) return [];
  const touched = Object.keys(stores).filter((name) => makesLoad || isTouched(profile, name));
  const unaccepted = touched.filter((name) => !guards.sharedStores.includes(name));
  if (unaccepted.length === 0) return [];
  const [are, they] = unaccepted.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return [
    {
      guard: 'shared-store',
      message: `${unaccepted.join(', ')} ${are} taken to be also used by the live colour, and guards.sharedStores does not accept ${they}.`,
      fix: `If the test may use what the live colour uses, set guards.sharedStores: [${[...guards.sharedStores, ...unaccepted].join(', ')}]`,
    },
  ];
}

/** Seeding and cleanup take their lock in every Postgres, and use of the others what they name. */
function isTouched({ stores, seed, cleanup }: Profile, name: string): boolean {
  const named = [...Object.values(seed), ...(cleanup?.rows ?? []), ...(cleanup?.keys ?? [])];
  return own(stores, name)?.kind === 'postgres' || named.some(({ store }) => store === name);
}

function hosts(count: number): string {
  return count === 1 ? 'one host' : `${count} hosts`;
}

function whatIsMeant(plan: Plan): string {
  if (!isInCloud(plan)) return `it reaches ${hosts(plan.beyondLoopback.length)} beyond this machine`;
  const secrets = secretsThatLeave(plan);
  return `Grafana Cloud makes its load${secrets.length === 0 ? '' : `, and gets these secrets: ${secrets.join(', ')}`}`;
}

/** The refusal of a plan that nobody has confirmed. */
export function unconfirmed(plan: Plan, said: string | undefined): Refusal {
  return {
    guard: 'confirm',
    message: `Confirm that ${plan.environment} is meant: ${whatIsMeant(plan)}.${said === undefined ? '' : ` ${said}`}`,
    fix: `Type the environment's name on a terminal, or set LOADCTL_CONFIRM=${confirmationFor(plan)}`,
  };
}
