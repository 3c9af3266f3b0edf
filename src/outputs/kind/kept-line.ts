import type { Stamp } from '../../core/events.js';
import type { MonitorLine } from '../../core/monitors.js';
import type { FleetLine } from '../../metrics/fleet-second.js';
import type { GeneratorSample } from '../../metrics/generators.js';

/** A line of one of a run's files, as it is kept there: without secrets, and with its moment. */
export type KeptLine =
  | { readonly file: 'timeseries'; readonly line: FleetLine & Stamp }
  | { readonly file: 'monitors'; readonly line: MonitorLine & Stamp }
  | { readonly file: 'generators'; readonly line: GeneratorSample & Stamp };
