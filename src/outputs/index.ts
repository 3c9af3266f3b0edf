import type { Clock } from '../core/os.js';
import type { Redactor } from '../core/redactor.js';
import type { PlannedOutput } from '../plan/outputs.js';
import type { Plan } from '../plan/plan.js';
import { discreet } from './discreet.js';
import { grafana } from './grafana/index.js';
import { influxdb } from './influxdb/index.js';
import type { OpenOutput, Output, OutputContext } from './kind/types.js';
import { pagerduty } from './pagerduty.js';
import { prometheus } from './prometheus/index.js';
import { slack } from './slack.js';
import { teams } from './teams.js';
import { webhook } from './webhook.js';

/** Every kind of output there is. */
const outputs = { influxdb, prometheus, grafana, webhook, slack, teams, pagerduty } satisfies {
  [Kind in PlannedOutput['kind']]: OpenOutput<Kind>;
};

/** Who sends, by which clock, and what nobody is told. */
export interface Sender {
  readonly version: string;
  readonly clock: Clock;
  readonly redact: Redactor;
}

/** What the outputs of a plan are opened with. */
export function contextOf({ environment, requestsPerSecond }: Plan, { version, clock, redact }: Sender): OutputContext {
  return { label: `loadctl/${version}`, environment, clock, redact, ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }) };
}

/** Opens an output; it sends nothing yet. */
export function openOutput(output: PlannedOutput, context: OutputContext): Output {
  // The registry's own type pairs every kind with its configuration; TypeScript cannot follow that through a union.
  const open = outputs[output.kind] as (output: PlannedOutput, context: OutputContext) => Output;
  return discreet(open(output, context), context.redact);
}
