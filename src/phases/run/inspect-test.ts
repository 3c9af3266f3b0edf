import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { Emit } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { World } from '../../core/os.js';
import { scope } from '../../core/scope.js';
import type { Whole } from '../../core/secrets.js';
import type { K6 } from '../../k6/arguments.js';
import { hideFromK6 } from '../../k6/before.js';
import { k6Environment, loadByVariables, unseenByK6 } from '../../k6/environment.js';
import { type Inspected, inspectScript } from '../../k6/inspect.js';
import { loadOptions } from '../../k6/load-shape.js';
import { readVariables } from '../../k6/script-files.js';
import { readScriptSource, type ScriptSource } from '../../k6/script-source.js';
import { scriptVariables } from '../../k6/script-variables.js';
import { type Access, withSecrets } from '../../plan/access.js';
import { isInCloud } from '../../plan/cloud.js';
import type { Inspection } from '../../plan/inspection.js';
import type { Plan } from '../../plan/plan.js';
import { refuseLostWrites, refuseOwnSegments, refuseTwoLoads } from './check-script.js';
import { scriptReader } from './read-script.js';
import { shapeOf } from './test-shape.js';

/** The k6 binary that a run uses. */
export interface FoundK6 {
  readonly path: string;
  readonly version: string;
}

/** Which run a test is, and where its load goes. */
export interface TestFacts {
  readonly run: RunId;
  readonly targetUrl: string;
}

/** A test whose script k6 has looked at: what every command that makes load knows before it does. */
export interface KnownTest {
  /** The id of the run. */
  readonly run: RunId;
  readonly k6: FoundK6;
  readonly inspection: Inspection;
}

/** What an inspection reads. */
export interface InspectContext {
  readonly plan: Plan;
  readonly access: Access;
  readonly world: Pick<World, 'env' | 'home' | 'clock' | 'execute' | 'privateFolder'>;
  readonly signal: AbortSignal;
  /** Hears when k6 takes long. */
  readonly emit?: Emit;
}

/** What came of an inspection, and what k6 fetched for it. */
export interface InspectedTest {
  readonly found: Inspection | LoadctlError;
  readonly fetched: readonly string[];
}

/**
 * Has k6 inspect the script of a plan with all that the plan lays over it: once for each command. What stands against a
 * run is found here: `invalid-profile`, `script-threw`, `test-aborted`.
 */
export async function inspectTest(context: InspectContext, k6: FoundK6, facts: TestFacts): Promise<InspectedTest> {
  const { world, signal, emit = () => {} } = context;
  const plan = withSecrets(context.plan, context.access);
  return scope(async (defer) => {
    const folder = await mkdtemp(join(await world.privateFolder(), 'inspect-'));
    defer(() => rm(folder, { recursive: true, force: true }));
    const source = await readScriptSource(plan.script);
    const variables = variablesOf(plan, source, { ...facts, startedAt: world.clock.stamp() });
    const inspected = await inspectScript({
      k6: await k6In(folder, k6, k6Environment(world, variables.inspecting)),
      execute: scriptReader(world, { script: basename(plan.script), limitMs: plan.fleet.readyTimeout, signal, emit }),
      source,
      laid: {
        options: plan.options,
        load: loadOptions(plan.load ?? {}),
        ...(plan.scale === undefined ? {} : { scale: plan.scale }),
        loadByVariables: loadByVariables(plan.env, plan.scriptOnly ?? []),
      },
      runners: plan.runners.length,
      folder,
      context: { script: plan.script, missing: missingVariables(plan, variables.inspecting, world.env) },
      signal,
    });
    return { found: refusal(inspected, plan) ?? inspected.found, fetched: inspected.fetched };
  });
}

/** What speaks against a script that k6 itself may well take. */
function refusal({ found, ownLoad }: Inspected, plan: Whole<Plan>): LoadctlError | undefined {
  try {
    refuseTwoLoads(ownLoad, plan);
    if (found instanceof LoadctlError) return undefined;
    refuseOwnSegments(found.options);
    refuseLostWrites(plan);
    shapeOf(plan, found);
    return undefined;
  } catch (error) {
    if (error instanceof LoadctlError) return error;
    throw error;
  }
}

/** The script's variables as k6 gets them, while it is inspected and while it runs; an archive's own stand below all others. */
export function variablesOf(
  plan: Whole<Plan>,
  { archive }: ScriptSource,
  facts: Parameters<typeof scriptVariables>[1],
): { readonly inspecting: Record<string, string>; readonly running: Record<string, string> } {
  const archived = archive?.metadata.env ?? {};
  const variables = { ...archived, ...scriptVariables(plan, facts) };
  const ofArchive = Object.keys(archived).filter((name) => !Object.hasOwn(plan.env, name));
  const unseen = unseenByK6(Object.keys(variables), [...(plan.scriptOnly ?? []), ...ofArchive]);
  const heard = Object.keys(variables).filter((name) => name.startsWith('K6_') && !unseen.inspecting.includes(name));
  return {
    inspecting: hideFromK6(thoseThatLeave(plan, variables, heard), unseen.inspecting),
    running: hideFromK6(thoseThatLeave(plan, variables), unseen.running),
  };
}

/** Grafana Cloud gets those that the profile names, and options by what k6 `heard` of them here; runners of a fleet get all. */
function thoseThatLeave(
  { fleet }: Plan,
  variables: Readonly<Record<string, string>>,
  heard: readonly string[] = [],
): Readonly<Record<string, string>> {
  if (!isInCloud({ fleet })) return variables;
  const names = [...(fleet.cloud?.env ?? []), ...heard];
  return Object.fromEntries(Object.entries(variables).filter(([name]) => names.includes(name)));
}

/** A k6 that starts with these variables and no others, and without the user's own config. */
export async function k6In(folder: string, { path }: FoundK6, env: K6['env']): Promise<K6> {
  const configFile = join(folder, 'k6-config.json');
  await writeFile(configFile, '{}');
  return { file: path, configFile, env };
}

/** Variables that the script reads without a value of its own for them, and that k6 is not given. */
function missingVariables({ script }: Plan, given: Readonly<Record<string, string>>, shell: World['env']) {
  const missing = readVariables(script).filter((name) => !Object.hasOwn(given, name));
  const inShell = missing.filter((name) => shell[name] !== undefined);
  return { inShell, nowhere: missing.filter((name) => !inShell.includes(name)) };
}
