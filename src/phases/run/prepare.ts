import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Criterion } from '../../core/criterion.js';
import { LoadctlError } from '../../core/errors.js';
import type { Defer } from '../../core/scope.js';
import type { Whole } from '../../core/secrets.js';
import { archiveToKeep } from '../../k6/archive.js';
import { archiveCommand, type K6 } from '../../k6/arguments.js';
import { addToBlockLists } from '../../k6/block-lists.js';
import { k6Environment } from '../../k6/environment.js';
import { loadOptions, shareOutRps } from '../../k6/load-shape.js';
import { logWarnings } from '../../k6/log.js';
import { type InspectedScript, inspectRequirements, inspectScript, type Requirements, scriptError } from '../../k6/script.js';
import { readScriptFiles } from '../../k6/script-files.js';
import { scriptVariables } from '../../k6/script-variables.js';
import { wrapperSource } from '../../k6/wrapper.js';
import { choiceKey } from '../../metrics/choices.js';
import { thresholdsApart } from '../../metrics/endpoint-metrics.js';
import { trendStatsOf } from '../../metrics/handle-summary.js';
import { summaryTrendStats } from '../../metrics/quantile-grid.js';
import { readScriptThresholds } from '../../metrics/threshold.js';
import { withSecrets } from '../../plan/access.js';
import { countedChoices } from '../../plan/choices.js';
import type { Plan } from '../../plan/plan.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';
import { liveBlockLists } from '../target/block-lists.js';
import { refuseOwnSegments, refuseTwoLoads, tellWhatChanges } from './check-script.js';

/** A test that is ready to be started: one archive for all runners. */
export interface PreparedTest extends TestShape {
  readonly k6: K6;
  readonly k6Version: string;
  readonly archive: string;
  readonly archiveSha256: string;
  readonly requirements: Requirements;
  readonly trendStats: string;
}

/** What plan and script together make of a test. */
interface TestShape {
  readonly script: InspectedScript;
  /** The script's options with the plan's laid over them, as k6 has them but for our additions. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly hasSetup: boolean;
  readonly hasTeardown: boolean;
  /** Whether iterations of the judged window carry its tag: only where something was measured that does not belong to it. */
  readonly tagged: boolean;
  /** Each runner's share of the script's `rps`; empty where it has none. */
  readonly rps: readonly number[];
  /** All thresholds: the script's, and those that bring sub-metrics into being. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
}

/** The k6 binary that a run uses. */
export interface FoundK6 {
  readonly path: string;
  readonly version: string;
}

/**
 * From the user's script to one archive: the script is inspected, wrapped, and archived once.
 * Throws `invalid-profile` and `script-threw` before anything is started, `refused` where the script is not the planned one
 * any more.
 */
export async function prepareTest(context: RunContext, found: FoundK6, directory: RunDirectory, defer: Defer): Promise<PreparedTest> {
  const { world } = context;
  const plan = withSecrets(context.plan, context.access);
  const folder = await mkdtemp(join(await world.privateFolder(), 'test-'));
  defer(() => rm(folder, { recursive: true, force: true }));
  const variables = scriptVariables(plan, { run: directory.run, startedAt: world.clock.now(), targetUrl: context.target.url });
  const k6 = await k6In(folder, found, k6Environment(world, variables));
  const script = await inspectScript(k6, world.execute, plan.script, folder);
  const test = shapeOf(plan, script);
  tellWhatChanges(context, test.options, test.tagged);

  const wrapper = join(folder, 'loadctl-wrapper.js');
  await writeFile(wrapper, await wrapped(context, plan, test), { mode: 0o600 });
  // In a run directory secrets have no place, not even for as long as the run lasts.
  const archive = join(folder, runFiles.archive);
  const archived = await world.execute(archiveCommand(k6, wrapper, archive));
  if (archived.exitCode !== 0) throw profileError(scriptError(archived, plan.script));
  refuseAnotherScript(plan);
  const archiveBytes = await readFile(archive);
  await writeFile(directory.file(runFiles.archive), archiveToKeep(archiveBytes, context.redact), { mode: 0o600 });
  for (const warning of logWarnings(archived.stderr)) context.emit({ type: 'warned', code: 'k6-complained', message: warning, times: 1 });
  return {
    ...test,
    k6,
    k6Version: found.version,
    archive,
    archiveSha256: createHash('sha256').update(archiveBytes).digest('hex'),
    requirements: await inspectRequirements(k6, world.execute, archive),
    trendStats: summaryTrendStats(statsWanted(plan.criteria, test.options)),
  };
}

/** The stats that the SLA, the script's thresholds and its own summary ask for: their percentiles join the grid. */
export function statsWanted(criteria: readonly Criterion[], options: Readonly<Record<string, unknown>>): string[] {
  const thresholds = Object.values(readScriptThresholds(options.thresholds).byMetric).flat();
  return [...criteria.map(({ stat }) => stat), ...thresholds.map(({ expression }) => expression.stat), ...trendStatsOf(options)];
}

/** A k6 that starts with these variables and no others, and without the user's own config. */
async function k6In(folder: string, { path }: FoundK6, env: K6['env']): Promise<K6> {
  const configFile = join(folder, 'k6-config.json');
  await writeFile(configFile, '{}');
  return { file: path, configFile, env };
}

function shapeOf(plan: Whole<Plan>, script: InspectedScript): TestShape {
  refuseTwoLoads(script, plan);
  const options = { ...script.options, ...plan.options };
  refuseOwnSegments(options);
  const rps = shareOutRps(options.rps, plan.runners.length);
  const hasSetup = script.functions.includes('setup') && options.noSetup !== true;
  const hasTeardown = script.functions.includes('teardown') && options.noTeardown !== true;
  const tagged = plan.steady !== undefined || hasSetup || hasTeardown;
  return { script, options, hasSetup, hasTeardown, tagged, rps, thresholds: thresholdsOf(plan, options, tagged) };
}

function thresholdsOf({ endpoints, criteria }: Plan, options: TestShape['options'], tagged: boolean): TestShape['thresholds'] {
  const own = readScriptThresholds(options.thresholds).byMetric;
  const plain = Object.entries(own).map(([metric, list]) => [metric, list.map(({ source }) => source)] as const);
  const apart = thresholdsApart({ endpoints: endpoints.map(({ name }) => name), criteria, thresholds: Object.keys(own), tagged });
  return { ...apart, ...Object.fromEntries(plain) };
}

/** The module that k6 runs: the user's script in loadctl's wrapper. */
async function wrapped(context: RunContext, plan: Whole<Plan>, { script, options, thresholds, tagged }: TestShape): Promise<string> {
  const load = loadOptions(plan.load ?? {});
  const blocked = addToBlockLists(options, await liveBlockLists(context));
  return wrapperSource({
    script: plan.script,
    execNames: script.execNames,
    hasDefault: script.functions.includes('default'),
    options: { ...plan.options, ...blocked, ...load },
    dropped: load.scenarios === undefined ? [] : ['vus', 'duration'],
    thresholds,
    steady: tagged ? (plan.steady ?? { from: 0 }) : undefined,
    choices: countedChoices(plan.draws, script.counters).flatMap((choice) =>
      Object.keys(choice.shares).map((drawn) => choiceKey(choice, drawn)),
    ),
  });
}

/** What was planned, and approved where that is wanted, is what runs: the script is read again when it is in the archive. */
function refuseAnotherScript({ script, scriptFiles }: Plan): void {
  const now = new Map(readScriptFiles(script).map(({ file, sha256 }) => [file, sha256]));
  const changed = scriptFiles.find(({ file, sha256 }) => now.get(file) !== sha256)?.file;
  if (changed === undefined && now.size === scriptFiles.length) return;
  throw new LoadctlError('refused', `The script changed while the run was prepared: ${changed ?? 'a file was added to it'}.`, {
    hint: 'Plan again, and have that approved.',
  });
}

/** The script alone was fine: what k6 refuses now comes from the profile. */
function profileError(error: LoadctlError): LoadctlError {
  const plain = (text: string) => text.replaceAll(/,part:steady\}|\{part:steady\}/g, (tag) => (tag.startsWith(',') ? '}' : ''));
  return new LoadctlError('invalid-profile', plain(error.message).replace('the script', 'what the profile adds to the script'), {
    lines: error.lines.map(plain),
    hint: 'Mend sla or workload.options in the profile: a metric there must be one of k6 or of the script, and have that value.',
  });
}
