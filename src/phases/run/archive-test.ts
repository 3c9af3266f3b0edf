import { readFile, writeFile } from 'node:fs/promises';
import { LoadctlError } from '../../core/errors.js';
import type { Whole } from '../../core/secrets.js';
import { editArchive, readMetadata } from '../../k6/archive.js';
import { archiveCommand, type K6 } from '../../k6/arguments.js';
import { addToBlockLists } from '../../k6/block-lists.js';
import { fleetOptions } from '../../k6/fleet-options.js';
import { profileError } from '../../k6/inspect.js';
import { logWarnings } from '../../k6/log.js';
import { scriptError } from '../../k6/script-errors.js';
import { inPlaceOf, ownUrl, type ScriptSource } from '../../k6/script-source.js';
import { wrapperSource } from '../../k6/wrapper.js';
import { choiceThresholds } from '../../metrics/choices.js';
import { summaryTrendStats } from '../../metrics/quantile-grid.js';
import { countedChoices } from '../../plan/choices.js';
import { fieldsOf, type K6Options } from '../../plan/inspection.js';
import type { Plan } from '../../plan/plan.js';
import type { RunContext } from '../frame/context.js';
import { liveBlockLists } from '../target/block-lists.js';
import { statsWanted, type TestShape } from './test-shape.js';

/** What an archive is made of. */
export interface Archiving {
  readonly plan: Whole<Plan>;
  readonly test: TestShape;
  readonly source: ScriptSource;
  readonly k6: K6;
  readonly userAgent: string;
  /** Takes files of ours. */
  readonly folder: string;
}

/**
 * Has k6 archive the user's script in loadctl's wrapper; in the archive that is a module beside the user's. Hands back what
 * k6 warned of. Throws `invalid-profile` for what the plan adds and k6 cannot use.
 */
export async function archiveTest(context: RunContext, archiving: Archiving, file: string): Promise<string[]> {
  const { plan, test, source, k6, folder } = archiving;
  const options = await optionsOfFleet(context, archiving);
  const text = (before: string) => wrapperText(archiving, options, before);
  const main = await inPlaceOf(source, { text, options, runners: plan.runners.length, folder });
  const archived = await context.world.execute(archiveCommand(k6, main, file));
  if (archived.exitCode !== 0) {
    if (archived.stderr.includes('no space left on device')) throw fullError(folder);
    throw profileError(scriptError(archived, { script: plan.script, missing: { inShell: [], nowhere: [] } }));
  }
  if (source.archive === undefined) await moveBeside(file);
  return logWarnings(archived.stderr).filter((complaint) => !test.inspection.complaints.includes(complaint));
}

/** The script was read before, in the same way: what is wrong now is the room for its archive. */
function fullError(folder: string): LoadctlError {
  return new LoadctlError('unavailable', `The temporary folder has no room for the archive of the script (${folder}).`, {
    hint: 'Free some space there, or set TMPDIR to a directory that has it.',
  });
}

/** What came in on stdin has the root for its folder once it is run from an archive: relative paths would be looked for there. */
async function moveBeside(file: string): Promise<void> {
  const archive = await readFile(file);
  const folder = readMetadata(archive)?.pwd ?? 'file:///';
  await writeFile(file, editArchive(archive, { filename: ownUrl(`${folder.replace(/\/*$/, '')}/`) }), { mode: 0o600 });
}

async function optionsOfFleet(context: RunContext, { plan, test, userAgent }: Archiving): Promise<K6Options> {
  const counted = countedChoices(plan.draws, test.inspection.counters);
  return fleetOptions(test.options, {
    runners: plan.runners.length,
    thresholds: { ...choiceThresholds(counted), ...test.thresholds },
    trendStats: summaryTrendStats(statsWanted(plan.criteria, test)),
    userAgent,
    blocked: addToBlockLists(test.options, await liveBlockLists(context)),
  });
}

function wrapperText({ plan, test, source }: Archiving, options: K6Options, before: string): string {
  const { functions } = test.inspection;
  const execs = Object.values(fieldsOf(options.scenarios)).map((scenario) => String(fieldsOf(scenario).exec ?? 'default'));
  return wrapperSource({
    before,
    script: source.url,
    execNames: [...new Set(execs)].filter((name) => name !== 'default'),
    hasDefault: functions.includes('default'),
    own: test.options,
    options,
    steady: test.tagged ? (plan.steady ?? { from: 0 }) : undefined,
  });
}
