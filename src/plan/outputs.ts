import type { OutputConfig, Profile } from '../profile/sections/schema.js';
import { type Place, placeOf } from './hosts.js';

/** An output as a run carries it out: the profile's own words. */
export type PlannedOutput = OutputConfig & { readonly name: string };

/** Takes the outputs over from a profile; secrets are in them where they are in the profile. */
export function plannedOutputs({ outputs }: Pick<Profile, 'outputs'>): PlannedOutput[] {
  return Object.entries(outputs).map(([name, config]) => ({ name, ...config }));
}

/** Where Slack's Web API is. */
export function slackApi({ api = 'https://slack.com/api' }: Extract<PlannedOutput, { readonly kind: 'slack' }>): string {
  return api.replace(/\/+$/, '');
}

/** Where an output sends to. */
export function outputPlace(output: PlannedOutput): Place {
  if (output.kind === 'slack') return placeOf(output.webhook ?? slackApi(output));
  return placeOf('webhook' in output ? output.webhook : output.url);
}
