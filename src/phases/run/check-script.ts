import { LoadctlError } from '../../core/errors.js';
import { named } from '../../k6/effective-options.js';
import { foreignK6Variables, meaningOf } from '../../k6/environment.js';
import { readVariables } from '../../k6/script-files.js';
import { windowTag } from '../../metrics/window.js';
import { isInCloud } from '../../plan/cloud.js';
import type { Plan } from '../../plan/plan.js';
import type { RunContext } from '../frame/context.js';

type Options = Readonly<Record<string, unknown>>;

/**
 * A script with a load of its own (`ownLoad`: the options that make it), and a plan that gives one too: which one is meant is
 * the user's to say. Throws `invalid-profile`.
 */
export function refuseTwoLoads(ownLoad: readonly string[], { options, load, script }: Pick<Plan, 'options' | 'load' | 'script'>): void {
  const ofPlan = ['scenarios', 'stages', 'iterations'].find((name) => isSet(named(options, name)));
  const own = ofPlan ?? ownLoad[0];
  const given = (['vus', 'duration', 'ramp', 'rate'] as const).filter((name) => load?.[name] !== undefined);
  if (own === undefined || given.length === 0) return;
  const where = ofPlan === undefined ? 'The script' : "The profile's workload.options";
  const words = given.map((name) => `workload.${name}`).join(', ');
  throw new LoadctlError('invalid-profile', `${where} has ${own} of its own, and the profile sets ${words}: keep one of them.`, {
    lines: [
      `  Keep the script's load:      take ${words} from the profile (null removes what a base sets: ${given[0]}: null).`,
      `  Use the profile's load:      remove ${own} from ${script}.`,
      `  Change the script's load:    workload.options: {${own}: …} in k6's words, or workload.scale: 10%, without ${words}.`,
    ],
    hint: `The script is ${script}.`,
  });
}

/** The segments are the runners': one of the script's own would be lost. Throws `invalid-profile`. */
export function refuseOwnSegments(options: Options): void {
  const own = ['executionSegment', 'executionSegmentSequence'].find((name) => isSet(options[name]));
  if (own === undefined) return;
  throw new LoadctlError('invalid-profile', `The option ${own} is loadctl's: it cuts the whole test into one segment for each runner.`, {
    hint: `Remove ${own} from the script's options.`,
  });
}

/** What marks the rows and keys that a script writes. */
const marks = ['LOADCTL_VIRTUAL_USER_PREFIX', 'LOADCTL_UUID_PREFIXES'];

/** A script that does not get what cleanup finds its writes by would leave them. Throws `refused`. */
export function refuseLostWrites(plan: Pick<Plan, 'fleet' | 'cleanup' | 'script'>): void {
  const { fleet, cleanup, script } = plan;
  if (!isInCloud(plan) || (cleanup?.entries.length ?? 0) === 0) return;
  const kept = readVariables(script).filter((name) => marks.includes(name) && fleet.cloud?.env.includes(name) !== true);
  if (kept.length === 0) return;
  throw new LoadctlError(
    'refused',
    `The script marks what it writes by ${kept.join(' and ')}, which would not leave for Grafana Cloud: cleanup could not find it.`,
    {
      hint: `Set runners.cloud.env: [${[...(fleet.cloud?.env ?? []), ...kept].join(', ')}]`,
    },
  );
}

/** Tells what of the machine and of the script's options (where iterations are `tagged`) does not hold in this run. */
export function tellWhatChanges(
  { world, emit, plan: { env, scriptOnly = [] } }: Pick<RunContext, 'world' | 'emit' | 'plan'>,
  options: Options,
  tagged: boolean,
): void {
  const about = (variables: readonly string[], meaning: ReturnType<typeof meaningOf>) =>
    variables.filter((name) => meaningOf(name) === meaning);
  const foreign = foreignK6Variables(world.env);
  if (foreign.length > 0) {
    const [ofOptions, ofModules] = [about(foreign, 'option'), about(foreign, 'module')];
    emit({ type: 'warned', code: 'environment-ignored', variables: foreign, ofOptions, ofModules });
  }
  const unheard = about(foreignK6Variables(env), 'k6').filter((name) => !scriptOnly.includes(name));
  if (unheard.length > 0) emit({ type: 'warned', code: 'variables-unheard', variables: unheard });
  if (tagged && ownTags(options).includes(windowTag.tag)) emit({ type: 'warned', code: 'tag-lost', tag: windowTag.tag });
}

/** The names of the tags that options set, for the whole test or a scenario. */
function ownTags({ tags, scenarios }: Options): string[] {
  const ofScenarios = Object.values(fields(scenarios)).map((scenario) => fields(scenario).tags);
  return [tags, ...ofScenarios].flatMap((set) => Object.keys(fields(set)));
}

function fields(value: unknown): Options {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}
