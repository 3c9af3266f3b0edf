/*
 * Imported by the module that makes k6 inspect a script (probe.ts), so it runs inside k6 as well as here: nothing in it
 * may need Node, and what it imports may only be types.
 */

type Options = Readonly<Record<string, unknown>>;

/** What a plan lays over the options that a script exports. Option names may be in any case, as k6 reads them. */
export interface LaidOver {
  /** The profile's `workload.options`. */
  readonly options: Options;
  /** The profile's load as k6's options; empty where the script makes its own. */
  readonly load: Options;
  /** The part of the script's own VUs and rates that is wanted, 0…1. */
  readonly scale?: number;
  /** Whether variables give k6 a duration or a number of iterations: they win over all of this. */
  readonly loadByVariables: boolean;
}

/** Options that say how much load there is: one of them in a higher place clears all of a lower one (k6: Options.Apply). */
const loadOptions = ['scenarios', 'stages', 'iterations', 'duration'];

/**
 * The options of a test: the script's own with the plan's laid over them, scenarios by name. What `k6 run` takes for one VU
 * gets one here, as `k6 inspect` and `k6 archive` do not.
 */
export function effectiveOptions(own: Options, { options, load, scale = 1, loadByVariables }: LaidOver): Options {
  const scaled = scale === 1 ? own : scaledOptions(own, scale);
  const laid = overlay(scenariosByName(withoutOtherLoad(scaled, options), options), load);
  const cleared = named(load, 'scenarios') === undefined ? laid : without(laid, ['vus', 'duration']);
  const wantsVus = loadByVariables || isSet(named(cleared, 'iterations')) || isSet(named(cleared, 'duration'));
  return wantsVus && !isSet(named(cleared, 'vus')) ? { ...without(cleared, ['vus']), vus: 1 } : cleared;
}

/** The names of scenarios that nobody gave an executor: a plan names one that the script does not have. */
export function incompleteScenarios(options: Options): string[] {
  const scenarios = Object.entries(fields(named(options, 'scenarios')));
  return scenarios.flatMap(([name, scenario]) => (isSet(named(fields(scenario), 'executor')) ? [] : [name]));
}

/** The options of a script that give it a load of its own, by k6's names for them. */
export function ownLoad(own: Options): string[] {
  return ['scenarios', 'stages', 'iterations'].filter((name) => isSet(named(own, name)));
}

/** An option by its name, in whichever case it is written. */
export function named(options: Options, name: string): unknown {
  const key = Object.keys(options).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : options[key];
}

/** `upper` laid over `lower`, option by option. */
function overlay(lower: Options, upper: Options): Options {
  return { ...without(lower, Object.keys(upper)), ...upper };
}

function without(options: Options, names: readonly string[]): Options {
  const gone = names.map((name) => name.toLowerCase());
  return Object.fromEntries(Object.entries(options).filter(([name]) => !gone.includes(name.toLowerCase())));
}

function withoutOtherLoad(own: Options, laid: Options): Options {
  if (!loadOptions.some((name) => isSet(named(laid, name)))) return own;
  const merged = isSet(named(laid, 'scenarios'));
  // k6 takes vus beside scenarios for a load of its own.
  return without(own, merged ? ['stages', 'iterations', 'duration', 'vus'] : loadOptions);
}

function scenariosByName(own: Options, laid: Options): Options {
  const [below, above] = [fields(named(own, 'scenarios')), fields(named(laid, 'scenarios'))];
  if (!isSet(named(laid, 'scenarios'))) return overlay(own, laid);
  const removed = Object.keys(above).filter((name) => above[name] === null);
  const merged = Object.entries(above).flatMap(([name, scenario]) =>
    scenario === null ? [] : [[name, overlay(fields(below[name]), fields(scenario))] as const],
  );
  const kept = Object.entries(below).filter(([name]) => !removed.includes(name));
  return { ...overlay(own, without(laid, ['scenarios'])), scenarios: Object.fromEntries([...kept, ...merged]) };
}

/** VUs and rates, by the names that k6's executors have for them. */
const scalable = ['vus', 'startvus', 'preallocatedvus', 'maxvus', 'rate', 'startrate', 'target'];

function scaledOptions(own: Options, scale: number): Options {
  return Object.fromEntries(
    Object.entries(own).map(([name, value]) => {
      const option = name.toLowerCase();
      if (option === 'vus') return [name, scaled(value, scale)];
      if (option === 'stages') return [name, scaledStages(value, scale)];
      if (option !== 'scenarios') return [name, value];
      const all = Object.entries(fields(value)).map(([each, scenario]) => [each, scaledFields(fields(scenario), scale)] as const);
      return [name, Object.fromEntries(all)];
    }),
  );
}

function scaledFields(scenario: Options, scale: number): Options {
  return Object.fromEntries(
    Object.entries(scenario).map(([name, value]) => {
      if (name.toLowerCase() === 'stages') return [name, scaledStages(value, scale)];
      return [name, scalable.includes(name.toLowerCase()) ? scaled(value, scale) : value];
    }),
  );
}

function scaledStages(stages: unknown, scale: number): unknown {
  return Array.isArray(stages) ? stages.map((stage) => scaledFields(fields(stage), scale)) : stages;
}

/** A whole number, at least 1 of what was more than 0; what is no number is k6's to complain of. */
function scaled(value: unknown, scale: number): unknown {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && number > 0 ? Math.max(1, Math.round(number * scale)) : value;
}

function fields(value: unknown): Options {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** To k6 an empty text is a number that nobody gave: `vus: __ENV.VUS || ''`. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
