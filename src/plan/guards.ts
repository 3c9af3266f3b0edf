import { formatCount, formatDuration, type Milliseconds, type PerSecond, trimNumber } from '../core/quantities.js';
import type { Profile } from '../profile/sections/schema.js';
import { isLoopback } from './hosts.js';
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
  readonly vus?: number;
  readonly iterationsPerSecond?: PerSecond;
  readonly durationMs?: Milliseconds;
}

/**
 * Every guard that can be asked without a look at anything, and that refuses a plan (design §7). Where all hosts are this
 * machine there is one only: a store behind colours may be the live one's, whatever tunnel leads to it.
 */
export function checkGuards(plan: Plan, profile: Profile, act: GuardedAct): Refusal[] {
  const shared = checkSharedStores(profile, act);
  if (plan.beyondLoopback.length === 0) return shared;
  const forLoad = act.makesLoad ? [...checkCaps(profile.guards, sizeOf(plan), true), ...checkAbortRules(profile)] : [];
  const confirmed = act.confirmed || !needsConfirmation(plan, profile);
  return [...checkHosts(plan, profile), ...forLoad, ...shared, ...(confirmed ? [] : [unconfirmed(plan, act.said)])];
}

/** Whether somebody has to say that this environment is meant. */
export function needsConfirmation(plan: Plan, { guards }: Profile): boolean {
  return plan.beyondLoopback.length > 0 && (guards.level === 'production' || guards.confirm !== false);
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

/**
 * The caps that a load breaks. `strict`: a cap on something unknown is broken, too (a script with a load of its own,
 * before k6 was asked how large it is).
 */
function checkCaps({ maxVus, maxRate, maxDuration }: Profile['guards'], size: LoadSize, strict: boolean): Refusal[] {
  const rate = (value: number) => `${trimNumber(value, 2)} iterations/s`;
  const vus = (value: number) => `${formatCount(value)} VUs`;
  return [
    ...breach({ name: 'guards.maxVus', most: maxVus, say: vus }, size.vus, strict),
    ...breach({ name: 'guards.maxRate', most: maxRate, say: rate }, size.iterationsPerSecond, strict),
    ...breach({ name: 'guards.maxDuration', most: maxDuration, say: formatDuration }, size.durationMs, strict),
  ];
}

/** A guard that limits how large a load may be. */
interface Cap {
  readonly name: string;
  /** Undefined where the profile sets none. */
  readonly most: number | undefined;
  readonly say: (value: number) => string;
}

function breach({ name, most, say }: Cap, value: number | undefined, strict: boolean): Refusal[] {
  if (most === undefined || (value !== undefined && value <= most)) return [];
  if (value !== undefined)
    return [{ guard: 'cap', message: `The load is ${say(value)}; ${name} allows ${say(most)}.`, fix: `Ask for less, or raise ${name}.` }];
  if (!strict) return [];
  const message = `${name} allows ${say(most)}, and the profile does not say how much the script makes.`;
  return [{ guard: 'cap', message, fix: 'Give the load in the profile: workload.vus, duration, and pacing or rate.' }];
}

function sizeOf({ load, iterationsPerSecond }: Plan): LoadSize {
  return {
    ...(load === undefined ? {} : { vus: load.vus, durationMs: load.duration }),
    ...(iterationsPerSecond === undefined ? {} : { iterationsPerSecond }),
  };
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
  return isLoopback(host) || guards.allow.some((entry) => covers(entry, host));
}

/** A host in a variable that nobody has given: only a plan gets this far. */
function unknownHost(host: string): Refusal {
  return { guard: 'allow', message: `Which host ${host} is cannot be known without the variable.`, fix: 'Set it, and plan again.' };
}

/** An entry is one host, or `*.example.com` for all hosts below it. */
function covers(entry: string, host: string): boolean {
  const [allowed, name] = [entry.toLowerCase(), host.toLowerCase()];
  return allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) && name.length > allowed.length - 1 : name === allowed;
}

/** In production somebody must be watching: a rule about a server that no monitor measures does not. */
function checkAbortRules({ guards, abort }: Profile): Refusal[] {
  if (guards.level !== 'production' || abort.some(({ when }) => when.source === 'client')) return [];
  return [
    {
      guard: 'abort',
      message: `guards: production wants abort rules, and the profile has none${abort.length > 0 ? ' that is watched: no monitor gives what they are about' : ''}.`,
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
      message: `${unaccepted.join(', ')} ${are} taken to be used by the live colour, too, and guards.sharedStores does not accept ${they}.`,
      fix: `If the test may use what the live colour uses, say so: guards.sharedStores: [${[...guards.sharedStores, ...unaccepted].join(', ')}]`,
    },
  ];
}

/** Seeding and cleanup take their lock in every Postgres, and use of the others what they name. */
function isTouched({ stores, seed, cleanup }: Profile, name: string): boolean {
  const named = [...seed, ...(cleanup?.rows ?? []), ...(cleanup?.caches ?? [])];
  return stores[name]?.kind === 'postgres' || named.some(({ store }) => store === name);
}

function hosts(count: number): string {
  return count === 1 ? 'one host' : `${count} hosts`;
}

function unconfirmed(plan: Plan, said: string | undefined): Refusal {
  return {
    guard: 'confirm',
    message: `Somebody has to confirm that ${plan.environment} is meant: it reaches ${hosts(plan.beyondLoopback.length)} beyond this machine.${said === undefined ? '' : ` ${said}`}`,
    fix: `Type the environment's name on a terminal, or set LOADCTL_CONFIRM=${confirmationFor(plan)}`,
  };
}
