import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LoadctlError } from '../../core/errors.js';
import type { Defer } from '../../core/scope.js';
import { archiveToKeep } from '../../k6/archive.js';
import type { K6 } from '../../k6/arguments.js';
import { k6Environment } from '../../k6/environment.js';
import { readScriptFiles } from '../../k6/script-files.js';
import { beforeUrl, readScriptSource, type ScriptSource } from '../../k6/script-source.js';
import { withSecrets } from '../../plan/access.js';
import type { Plan } from '../../plan/plan.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';
import { archiveTest } from './archive-test.js';
import { tellWhatChanges } from './check-script.js';
import { type KnownTest, k6In, variablesOf } from './inspect-test.js';
import { shapeOf, type TestShape } from './test-shape.js';

/** A test that is ready to be started: one archive for all runners. */
export interface PreparedTest extends TestShape {
  readonly k6: K6;
  readonly k6Version: string;
  readonly source: ScriptSource;
  /** The URL, in the archive, of the module that comes before the user's. */
  readonly before: string;
  readonly archive: string;
  readonly archiveSha256: string;
}

/**
 * From the user's script to one archive: wrapped in a module of ours, and archived once. Throws `invalid-profile` before
 * anything is started, `refused` where the script is not the planned one any more.
 */
export async function prepareTest(context: RunContext, known: KnownTest, directory: RunDirectory, defer: Defer): Promise<PreparedTest> {
  const { world, target, emit, redact } = context;
  const plan = withSecrets(context.plan, context.access);
  const folder = await mkdtemp(join(await world.privateFolder(), 'test-'));
  defer(() => rm(folder, { recursive: true, force: true }));
  const source = await readScriptSource(plan.script);
  const { running } = variablesOf(plan, source, { run: directory.run, startedAt: world.clock.stamp(), targetUrl: target.url });
  const k6 = await k6In(folder, known.k6, k6Environment(world, running));
  const test = shapeOf(plan, known.inspection);
  tellWhatChanges(context, test.options, test.tagged);

  // In a run directory secrets have no place, not even for as long as the run lasts.
  const archive = join(folder, runFiles.archive);
  const complaints = await archiveTest(context, { plan, test, source, k6, userAgent: `loadctl/${directory.run}`, folder }, archive);
  refuseAnotherScript(plan);
  const archiveBytes = await readFile(archive);
  await writeFile(directory.file(runFiles.archive), archiveToKeep(archiveBytes, redact), { mode: 0o600 });
  for (const message of new Set([...known.inspection.complaints, ...complaints]))
    emit({ type: 'warned', code: 'k6-complained', message, times: 1 });
  const archiveSha256 = createHash('sha256').update(archiveBytes).digest('hex');
  return { ...test, k6, k6Version: known.k6.version, source, before: beforeUrl(source, folder), archive, archiveSha256 };
}

/** What was planned, and approved where that is wanted, is what runs: the script is read again when it is in the archive. */
export function refuseAnotherScript({ script, scriptFiles }: Plan): void {
  const now = new Map(readScriptFiles(script).map(({ file, sha256 }) => [file, sha256]));
  const changed = scriptFiles.find(({ file, sha256 }) => now.get(file) !== sha256)?.file;
  if (changed === undefined && now.size === scriptFiles.length) return;
  throw new LoadctlError('refused', `The script changed while the run was prepared: ${changed ?? 'a file was added to it'}.`, {
    hint: 'Plan again, and have that approved.',
  });
}
