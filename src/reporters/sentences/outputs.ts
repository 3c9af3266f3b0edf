import { placeText } from '../../plan/hosts.js';
import { outputPlace, type PlannedOutput } from '../../plan/outputs.js';

/** An output of a plan: `slack: slack at hooks.slack.com, on breach, recovered`. */
export function outputInWords(output: PlannedOutput): string {
  const on = 'on' in output ? `, on ${output.on.join(', ')}` : '';
  return `${output.name}: ${output.kind} at ${placeText(outputPlace(output))}${on}`;
}
