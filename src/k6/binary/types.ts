import type { Clock, Execute, World } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';

/** How loadctl came by a k6. */
export type K6Source = 'LOADCTL_K6' | 'PATH' | 'cache' | 'downloaded' | 'built';

/** A k6 that runs and is new enough. */
export interface FoundK6 {
  /** The absolute path of the binary. */
  readonly path: string;
  /** As k6 says it, without the `v`: `2.2.0`. */
  readonly version: string;
  readonly source: K6Source;
  /** Why this one and no other, as a sentence. */
  readonly why: string;
}

/** The slice of the world in which a k6 is looked for. */
export type Surroundings = Pick<World, 'env' | 'home' | 'cwd'> & {
  readonly execute: Execute;
  readonly clock: Pick<Clock, 'sleep'>;
};

/** How a missing k6 is fetched. */
export interface FetchOptions {
  /** Is told what is being done, a line at a time. */
  readonly progress?: (line: string) => void;
  /** Goes around the build, which takes minutes, so that it can be shown; `go` is its version. */
  readonly building?: <T>(go: string, build: () => Promise<T>) => Promise<T>;
  readonly signal?: AbortSignal;
  /** How long a server may take to answer, and to send anything more once it has begun. */
  readonly timeouts?: { readonly answerMs: Milliseconds; readonly stallMs: Milliseconds };
}

/** A k6 that was fetched into `folder` of a cache; `how` ends up in {@link FoundK6.why}. */
export interface Fetched {
  readonly file: string;
  readonly how: string;
}

/** An expected reason why one way of fetching did not work: the next one is tried. */
export class FetchFailure extends Error {}
