import type { ForeseenLoad } from '../../plan/inspection.js';
import type { Proposal } from './propose.js';

/** A database or a cache, as it may be written down. */
export interface Place {
  /** Without its password. */
  readonly url: string;
  /** The name of the variable that holds the password; missing where the URL had none. */
  readonly variable?: string;
}

/** What k6 says of an own script. */
export interface ReadScript {
  /** As it was named, relative to the working directory. */
  readonly path: string;
  /** The load of its own; missing where it leaves that to the profile, or where nobody could look. */
  readonly load?: ForeseenLoad;
  /** Its thresholds by metric, in k6's words. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
  /** Variables that it reads and has no value for. */
  readonly variables: readonly string[];
  /** Why k6 did not look at it. */
  readonly unread?: string;
}

/** Everything that the first files are made from. */
export interface Known {
  /** Where the service under test answers. */
  readonly url: string;
  /** Missing where a new script is written. */
  readonly script?: ReadScript;
  readonly db?: Place;
  /** Missing where no database was read. */
  readonly proposal?: Proposal;
  readonly redis?: Place;
  readonly ci: boolean;
}
