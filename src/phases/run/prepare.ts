import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Criterion } from '../../core/criterion.js';
import { LoadctlError } from '../../core/errors.js';
import type { Defer } from '../../core/scope.js';
import { archiveToKeep } from '../../k6/archive.js';
import { archiveCommand, type K6 } from '../../k6/arguments.js';
import { addToBlockLists } from '../../k6/block-lists.js';
import { foreignK6Variables, k6Environment } from '../../k6/environment.js';
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
import { readScriptThresholds, type ScriptThreshold } from '../../metrics/threshold.js';
import { windowTag } from '../../metrics/window.js';
import { countedChoices } from '../../plan/choices.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { PhaseContext } from '../frame/context.js';
import { liveBlockLists } from '../target/block-lists.js';

/** A test that is ready to be started: one archive for all runners. */
export interface PreparedTest {
  readonly k6: K6;
  readonly k6Version: string;
  readonly archive: string;
  readonly archiveSha256: string;
  readonly script: InspectedScript;
  readonly hasSetup: boolean;
  readonly hasTeardown: boolean;
  /** Whether iterations of the judged window carry its tag: only where something was measured that does not belong to it. */
  readonly tagged: boolean;
  readonly requirements: Requirements;
  readonly trendStats: string;
  /** The metrics and sub-metrics that its thresholds bring into being. */
  readonly metricKeys: readonly string[];
  /** Each runner's share of the script's `rps`; empty where it has none. */
  readonly rps: readonly number[];
  /** The script's options with the profile's `workload.options` laid over them, as k6 has them but for our additions. */
  readonly options: Readonly<Record<string, unknown>>;
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
export async function prepareTest(context: PhaseContext, found: FoundK6, directory: RunDirectory, defer: Defer): Promise<PreparedTest> {
  const { profile, plan, world } = context;
  const folder = await mkdtemp(join(tmpdir(), 'loadctl-'));
  defer(() => rm(folder, { recursive: true, force: true }));
  const k6 = await k6For(context, found, directory.run, folder);
  const script = await inspectScript(k6, world.execute, plan.script, folder);
  refuseTwoLoads(script, profile.workload);
  const options = { ...script.options, ...profile.workload.options };
  refuseOwnSegments(options);
  const { byMetric: thresholds } = readScriptThresholds(options.thresholds);
  const rps = shareOutRps(options.rps, plan.runners.length);
  const hasSetup = script.functions.includes('setup') && options.noSetup !== true;
  const hasTeardown = script.functions.includes('teardown') && options.noTeardown !== true;
  const tagged = plan.steady !== undefined || hasSetup || hasTeardown;
  tellWhatChanges(context, tagged ? ownTags(options) : []);

  const wrapper = join(folder, 'loadctl-wrapper.js');
  const load = loadOptions(profile.workload);
  const blocked = addToBlockLists(options, await liveBlockLists(context));
  const apart = thresholdsApart({
    endpoints: plan.endpoints.map(({ name }) => name),
    criteria: plan.criteria,
    thresholds: Object.keys(thresholds),
    tagged,
  });
  const allThresholds = { ...apart, ...plainThresholds(thresholds) };
  const source = wrapperSource({
    script: plan.script,
    execNames: script.execNames,
    hasDefault: script.functions.includes('default'),
    options: { ...profile.workload.options, ...blocked, ...load },
    dropped: load.scenarios === undefined ? [] : ['vus', 'duration'],
    thresholds: allThresholds,
    steady: tagged ? (plan.steady ?? { from: 0 }) : undefined,
    choices: countedChoices(profile.workload, script.counters).flatMap((choice) =>
      Object.keys(choice.shares).map((drawn) => choiceKey(choice, drawn)),
    ),
  });
  await writeFile(wrapper, source, { mode: 0o600 });
  // In a run directory secrets have no place, not even for as long as the run lasts.
  const archive = join(folder, runFiles.archive);
  const archived = await world.execute(archiveCommand(k6, wrapper, archive));
  if (archived.exitCode !== 0) throw profileError(scriptError(archived, plan.script));
  refuseAnotherScript(plan);
  const archiveBytes = await readFile(archive);
  await writeFile(directory.file(runFiles.archive), archiveToKeep(archiveBytes, context.redact), { mode: 0o600 });
  for (const warning of logWarnings(archived.stderr)) context.emit({ type: 'warned', code: 'k6-complained', message: warning, times: 1 });
  return {
    k6,
    k6Version: found.version,
    archive,
    archiveSha256: createHash('sha256').update(archiveBytes).digest('hex'),
    script,
    hasSetup,
    hasTeardown,
    tagged,
    requirements: await inspectRequirements(k6, world.execute, archive),
    metricKeys: Object.keys(allThresholds),
    rps,
    trendStats: summaryTrendStats(statsWanted(plan.criteria, options)),
    options,
  };
}

/** The stats that the SLA, the script's thresholds and its own summary ask for: their percentiles join the grid. */
export function statsWanted(criteria: readonly Criterion[], options: Readonly<Record<string, unknown>>): string[] {
  const thresholds = Object.values(readScriptThresholds(options.thresholds).byMetric).flat();
  return [...criteria.map(({ stat }) => stat), ...thresholds.map(({ expression }) => expression.stat), ...trendStatsOf(options)];
}

type Thresholds = Readonly<Record<string, readonly ScriptThreshold[]>>;

async function k6For({ profile, plan, target, world }: PhaseContext, found: FoundK6, run: string, folder: string): Promise<K6> {
  const configFile = join(folder, 'k6-config.json');
  await writeFile(configFile, '{}');
  const facts = { run, startedAt: world.clock.now(), targetUrl: target.url, runners: plan.runners.length };
  return { file: found.path, configFile, env: k6Environment(world, scriptVariables(profile, facts)) };
}

/** What was planned, and approved where that is wanted, is what runs: the script is read again when it is in the archive. */
function refuseAnotherScript({ script, scriptFiles }: PhaseContext['plan']): void {
  const now = new Map(readScriptFiles(script).map(({ file, sha256 }) => [file, sha256]));
  const changed = scriptFiles.find(({ file, sha256 }) => now.get(file) !== sha256)?.file;
  if (changed === undefined && now.size === scriptFiles.length) return;
  throw new LoadctlError('refused', `The script changed while the run was prepared: ${changed ?? 'a file was added to it'}.`, {
    hint: 'Plan again, and have that approved.',
  });
}

/** A script with a load of its own, and a profile that gives one too: which one is meant is the user's to say. */
function refuseTwoLoads(script: InspectedScript, workload: PhaseContext['profile']['workload']): void {
  const effective = { ...script.options, ...workload.options };
  const own = ['scenarios', 'stages', 'iterations'].find((name) => effective[name] !== undefined && effective[name] !== null);
  const given = (['vus', 'duration', 'ramp', 'rate'] as const).filter((name) => workload[name] !== undefined);
  if (own === undefined || given.length === 0) return;
  const where = workload.options[own] === undefined ? 'The script' : "The profile's workload.options";
  const words = given.map((name) => `workload.${name}`).join(', ');
  throw new LoadctlError(
    'invalid-profile',
    `${where} has ${own} of its own, and the profile sets ${words}: only one of them can be meant.`,
    {
      lines: [
        `  Keep the script's load:      take ${words} out of the profile (null removes what a base sets: ${given[0]}: null).`,
        `  Use the profile's load:      take ${own} out of ${script.path}.`,
        `  Change the script's load:    workload.options: {${own}: …} in k6's words, without ${words}.`,
      ],
      hint: `The script is ${script.path}.`,
    },
  );
}

function tellWhatChanges({ world, emit }: PhaseContext, tags: readonly string[]): void {
  const foreign = foreignK6Variables(world.env);
  if (foreign.length > 0) {
    emit({ type: 'warned', code: 'environment-ignored', variables: foreign });
  }
  if (tags.includes(windowTag.tag)) {
    emit({ type: 'warned', code: 'tag-lost', tag: windowTag.tag });
  }
}

/** The segments are the runners': one of the script's own would be lost. */
function refuseOwnSegments(options: Readonly<Record<string, unknown>>): void {
  const own = ['executionSegment', 'executionSegmentSequence'].find((name) => options[name] !== undefined && options[name] !== null);
  if (own === undefined) return;
  throw new LoadctlError('invalid-profile', `The option ${own} is loadctl's: it cuts the whole test into one segment for each runner.`, {
    hint: `Take ${own} out of the script's options.`,
  });
}

/** The names of the tags that options set, for the whole test or a scenario. */
function ownTags({ tags, scenarios }: Readonly<Record<string, unknown>>): string[] {
  const ofScenarios = Object.values(fields(scenarios)).map((scenario) => fields(scenario).tags);
  return [tags, ...ofScenarios].flatMap((set) => Object.keys(fields(set)));
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function plainThresholds(thresholds: Thresholds): Record<string, string[]> {
  return Object.fromEntries(Object.entries(thresholds).map(([metric, list]) => [metric, list.map(({ source }) => source)]));
}

/** The script alone was fine: what k6 refuses now comes from the profile. */
function profileError(error: LoadctlError): LoadctlError {
  const plain = (text: string) => text.replaceAll(/,part:steady\}|\{part:steady\}/g, (tag) => (tag.startsWith(',') ? '}' : ''));
  return new LoadctlError('invalid-profile', plain(error.message).replace('the script', 'what the profile adds to the script'), {
    lines: error.lines.map(plain),
    hint: 'Mend sla or workload.options in the profile: a metric there must be one of k6 or of the script, and have that value.',
  });
}
