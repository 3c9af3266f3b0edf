import type { Defer } from '../../core/scope.js';
import type { RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';
import type { LiveWatch } from '../target/watch-colours.js';
import type { ServersWatch } from '../watch/watch-servers.js';
import type { Interruptions } from './interruptions.js';
import type { PreparedTest } from './prepare.js';

/** What the stages of one run share, from its first runner to its verdict. */
export interface Attempt {
  readonly context: RunContext;
  readonly directory: RunDirectory;
  readonly test: PreparedTest;
  /** Everything that may end the load before its time. */
  readonly stop: Interruptions;
  readonly colourWatch: LiveWatch;
  /** What watches the servers. */
  readonly servers: ServersWatch;
  /** How k6 and our own probes call themselves. */
  readonly userAgent: string;
  readonly defer: Defer;
}
