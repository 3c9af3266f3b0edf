import { LoadctlError } from '../core/errors.js';
import type { Execute, Output } from '../core/os.js';
import { choiceCounters } from '../plan/choices.js';
import { fieldsOf, type Inspection } from '../plan/inspection.js';
import { inspectCommand, type K6 } from './arguments.js';
import { effectiveOptions, incompleteScenarios, type LaidOver, named, ownLoad } from './effective-options.js';
import { logWarnings, parseLogLine } from './log.js';
import { probeSource, type ToldByProbe, toldByProbe } from './probe.js';
import { type ScriptContext, scriptError } from './script-errors.js';
import { inPlaceOf, type ScriptSource } from './script-source.js';

/** What an inspection is made of. */
export interface InspectionRequest {
  readonly k6: K6;
  readonly execute: Execute;
  readonly source: ScriptSource;
  readonly laid: LaidOver;
  readonly runners: number;
  /** Takes files of ours. */
  readonly folder: string;
  /** What an error says besides what k6 said. */
  readonly context: ScriptContext;
  readonly signal: AbortSignal;
}

/** What came of an inspection: what the script is; or `invalid-profile`, `script-threw`, `test-aborted`. */
export interface Inspected {
  readonly found: Inspection | LoadctlError;
  /** Options by which the script makes a load of its own, by k6's names for them. */
  readonly ownLoad: readonly string[];
  /** URLs of modules that k6 fetched for it, or tried to. */
  readonly fetched: readonly string[];
}

/**
 * Has k6 inspect a script with what the plan lays over its options; its init code runs. What is refused says whether the
 * script or the plan is to blame. Throws `interrupted`.
 */
export async function inspectScript(request: InspectionRequest): Promise<Inspected> {
  const { output, told } = await probe(request);
  if (request.signal.aborted) throw new LoadctlError('interrupted', 'Interrupted while k6 inspected the script; nothing was run.');
  const about = { ownLoad: told?.ownLoad ?? [], fetched: fetchedIn(output.stderr) };
  const incomplete = incompleteScenario(told?.incomplete ?? [], request);
  if (incomplete !== undefined) return { found: incomplete, ...about };
  return { found: output.exitCode === 0 ? inspectionOf(output, told) : await blame(output, request), ...about };
}

function inspectionOf({ stdout, stderr }: Output, told: ToldByProbe | undefined): Inspection {
  const { totalDuration: _total, maxVUs, ...options } = fieldsOf(JSON.parse(stdout));
  const { functions = [], counters = [] } = told ?? {};
  return { options, maxVus: Number(maxVUs ?? 0), functions, counters, complaints: logWarnings(stderr) };
}

/** k6 asks with it first, for places that answer a browser otherwise. */
const askedByK6 = /[?&]_k6=1$/;

/** The URLs that k6 fetched modules from, or tried to. */
function fetchedIn(log: string): string[] {
  const lines = log.split('\n').flatMap((line) => (line.includes('Fetching source') ? [parseLogLine(line)] : []));
  return [...new Set(lines.flatMap(({ url }) => url?.replace(askedByK6, '') ?? []))];
}

async function probe(request: InspectionRequest): Promise<{ readonly output: Output; readonly told: ToldByProbe | undefined }> {
  const { k6, execute, source, laid, runners, folder, signal } = request;
  const archived = source.archive?.metadata.options;
  const options = archived === undefined ? {} : effectiveOptions(archived, laid);
  const text = (before: string) =>
    probeSource({ before, script: source.url, counters: choiceCounters, ...(archived === undefined ? { laid } : {}) });
  const main = await inPlaceOf(source, { text, options, runners, folder });
  const output = await execute(inspectCommand(k6, main), { signal });
  const told = toldByProbe(output.stderr);
  if (archived === undefined || told === undefined) return { output, told };
  return { output, told: { ...told, ownLoad: ownLoad(archived), incomplete: incompleteScenarios(options) } };
}

/** A scenario that the plan names and the script does not have needs all that k6 needs of one. */
function incompleteScenario(incomplete: readonly string[], { context, laid }: InspectionRequest): LoadctlError | undefined {
  const ofPlan = fieldsOf(named(laid.options, 'scenarios'));
  const name = incomplete.find((one) => Object.hasOwn(ofPlan, one));
  if (name === undefined) return undefined;
  return new LoadctlError(
    'invalid-profile',
    `workload.options.scenarios.${name} has no executor, and the script has no scenario ${name}.`,
    {
      hint: `Name a scenario of ${context.script}, or write the whole of it: ${name}: {executor: constant-vus, vus: 10, duration: 1m}`,
    },
  );
}

/** Of what was refused, the script is to blame where k6 refuses it by itself; else what the plan lays over it. */
async function blame(output: Output, request: InspectionRequest): Promise<LoadctlError> {
  const { context, laid } = request;
  const nothing: LaidOver = { options: {}, load: {}, loadByVariables: laid.loadByVariables };
  const isLaid = Object.keys(laid.options).length + Object.keys(laid.load).length > 0 || laid.scale !== undefined;
  if (!isLaid) return scriptError(output, context);
  const alone = await probe({ ...request, laid: nothing });
  return alone.output.exitCode === 0 ? profileError(scriptError(output, context)) : scriptError(alone.output, context);
}

/** The script alone was fine: what k6 refuses comes from the profile. */
export function profileError(error: LoadctlError): LoadctlError {
  const plain = (text: string) => text.replaceAll(/,part:steady\}|\{part:steady\}/g, (tag) => (tag.startsWith(',') ? '}' : ''));
  return new LoadctlError('invalid-profile', plain(error.message).replace('the script', 'what the profile adds to the script'), {
    lines: error.lines.map(plain),
    hint: 'Fix workload.options or sla in the profile: a metric there must be one of k6 or of the script, and have that value.',
  });
}
