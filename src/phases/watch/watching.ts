import type { Beside } from '../../core/beside.js';
import type { Emit, Moment } from '../../core/events.js';
import type { Clock } from '../../core/os.js';
import type { RunDirectory } from '../../runs/write.js';

/** What those who watch a load are handed: time, whom to tell, where to write, and how to go on beside it. */
export interface Watching {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly moment: Moment;
  readonly directory: RunDirectory;
  readonly beside: Beside;
}
