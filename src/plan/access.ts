import { dirname } from 'node:path';
import type { Whole } from '../core/secrets.js';
import type { LoadedProfile } from '../profile/load.js';
import { withoutFolders } from './monitors.js';
import { type PlannedSections, plannedSections } from './sections.js';
import { withoutCredentials } from './target.js';

/**
 * What a run needs and its plan may not hold: the secrets, and what is this machine's own. Made from the loaded profile
 * beside the plan; it is handed to what runs, and goes nowhere else.
 */
export interface Access {
  /** What stands in the plan where it says `[redacted]`, or names a file without its folder: credentials, keys, secret variables and options. */
  readonly secrets: readonly Secret[];
  readonly machine: {
    /** The k6 to use, where it is not the one that is found. */
    readonly k6?: string;
    /** The ssh config to use instead of the user's own. */
    readonly sshConfig?: string;
    /** The folder of the profile, in which the command that tells the live colour runs. Absolute. */
    readonly folder: string;
  };
}

/** A value of the plan that is a secret or holds one, by the keys and indexes that lead to it. */
interface Secret {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** What a plan and the access to it are made from. */
export type Readable = Pick<LoadedProfile, 'profile' | 'shown' | 'file'>;

/** The access that goes with the plan of this profile. */
export function accessTo(loaded: Readable): Access {
  const { k6, sshConfig } = loaded.profile.runners;
  return {
    secrets: differences(plannedSections(loaded.profile), shownSections(loaded)),
    machine: {
      ...(k6 === undefined ? {} : { k6 }),
      ...(sshConfig === undefined ? {} : { sshConfig }),
      folder: dirname(loaded.file),
    },
  };
}

/** What a plan says of the profile: without its secrets, and without credentials whoever wrote them. */
export function shownSections({ shown }: Pick<Readable, 'shown'>): PlannedSections {
  const sections = plannedSections({ ...shown, target: withoutCredentials(shown.target) });
  return { ...sections, monitors: withoutFolders(sections.monitors) };
}

/** A plan with its secrets back in their places: what a run carries out. */
export function withSecrets<Sections extends PlannedSections>(plan: Sections, { secrets }: Pick<Access, 'secrets'>): Whole<Sections> {
  return secrets.reduce<unknown>((whole, { path, value }) => replaceAt(whole, path, value), plan) as Whole<Sections>;
}

/** The values of `whole` that `shown` has otherwise, each with the way to it. Both have the same shape. */
function differences(whole: unknown, shown: unknown, path: readonly string[] = []): Secret[] {
  if (typeof whole !== 'object' || whole === null) return whole === shown ? [] : [{ path, value: whole }];
  return Object.entries(whole).flatMap(([key, value]) => differences(value, childOf(shown, key), [...path, key]));
}

function replaceAt(within: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const replaced = replaceAt(childOf(within, key), rest, value);
  if (Array.isArray(within)) return within.map((item: unknown, index) => (String(index) === key ? replaced : item));
  return Object.assign({}, within, { [key]: replaced });
}

function childOf(parent: unknown, key: string): unknown {
  return typeof parent === 'object' && parent !== null && Object.hasOwn(parent, key) ? Reflect.get(parent, key) : undefined;
}
