import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Defer } from '../../core/scope.js';
import { archiveToKeep, editArchive, readMetadata } from '../../k6/archive.js';
import { archiveCommand, type K6 } from '../../k6/arguments.js';
import { cloudOptions } from '../../k6/cloud/options.js';
import { k6Environment } from '../../k6/environment.js';
import { profileError } from '../../k6/inspect.js';
import { scriptError } from '../../k6/script-errors.js';
import { readScriptSource } from '../../k6/script-source.js';
import { type Access, withSecrets } from '../../plan/access.js';
import { cloudDistribution, cloudLimits } from '../../plan/cloud.js';
import type { Plan } from '../../plan/plan.js';
import { usualCloudHost } from '../../profile/sections/cloud.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';
import { tellWhatChanges } from '../run/check-script.js';
import { type KnownTest, k6In, variablesOf } from '../run/inspect-test.js';
import { refuseAnotherScript } from '../run/prepare.js';
import { shapeOf, type TestShape } from '../run/test-shape.js';

/** A test that is ready to be handed to Grafana Cloud. */
export interface CloudTest extends TestShape {
  /** Logged in. */
  readonly k6: K6;
  readonly k6Version: string;
  readonly archive: string;
  readonly archiveSha256: string;
  /** The API. */
  readonly host: string;
}

/** The words of a plan about Grafana Cloud, with the token. */
export function cloudOf(plan: Plan, access: Access): NonNullable<Plan['fleet']['cloud']> {
  const { cloud } = withSecrets(plan, access).fleet;
  if (cloud === undefined) throw new Error('a run in Grafana Cloud without its words');
  return cloud;
}

/**
 * Makes the archive that is uploaded: the user's script as it is, with the plan's limits as thresholds and of its variables those
 * that may leave. Throws `invalid-profile`; `refused` where the script is not the planned one any more.
 */
export async function prepareCloud(context: RunContext, known: KnownTest, directory: RunDirectory, defer: Defer): Promise<CloudTest> {
  const { world, target, access, redact } = context;
  const plan = withSecrets(context.plan, access);
  const cloud = cloudOf(context.plan, access);
  const folder = await mkdtemp(join(await world.privateFolder(), 'cloud-'));
  defer(() => rm(folder, { recursive: true, force: true }));
  const source = await readScriptSource(plan.script);
  const facts = { run: directory.run, startedAt: world.clock.stamp(), targetUrl: target.url };
  const env = variablesOf(plan, source, facts).running;
  const test = shapeOf(plan, known.inspection);

  const made = join(folder, 'made.tar');
  const k6 = await k6In(folder, known.k6, k6Environment(world, env));
  const archived = await world.execute(archiveCommand(k6, { archive: plan.script }, made));
  if (archived.exitCode !== 0) throw profileError(scriptError(archived, { script: plan.script, missing: { inShell: [], nowhere: [] } }));
  refuseAnotherScript(plan);
  const bytes = await readFile(made);
  const options = cloudOptions(test.options, {
    thresholds: cloudLimits(plan.criteria).thresholds,
    name: { ...(cloud.name === undefined ? {} : { given: cloud.name }), otherwise: `${basename(plan.script)} (${plan.environment})` },
    projectID: cloud.project,
    distribution: cloudDistribution(cloud.zones),
    userAgent: `loadctl/${directory.run}`,
  });
  const whole = editArchive(bytes, { filename: readMetadata(bytes)?.filename ?? '', options, env });
  const archive = join(folder, runFiles.archive);
  await writeFile(archive, whole, { mode: 0o600 });
  await writeFile(directory.file(runFiles.archive), archiveToKeep(whole, redact), { mode: 0o600 });
  const archiveSha256 = createHash('sha256').update(whole).digest('hex');
  const host = cloud.host ?? usualCloudHost;
  const user = loggedIn(k6, cloud, { host, world });
  const differing = Object.entries(world.env).filter(([name, value]) => user.env[name] !== value);
  tellWhatChanges({ ...context, world: { ...world, env: Object.fromEntries(differing) } }, test.options, false);
  return { ...test, k6: user, k6Version: known.k6.version, archive, archiveSha256, host };
}

/** How Go's programs get out of a company's network, and whom they trust there (https://pkg.go.dev/net/http#ProxyFromEnvironment). */
const wayOut = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** A k6 that knows who it is in Grafana Cloud, and nothing of the script's: its variables are in the archive. */
function loggedIn(
  k6: K6,
  { token, stack, project }: Pick<ReturnType<typeof cloudOf>, 'token' | 'stack' | 'project'>,
  { host, world }: { readonly host: string; readonly world: RunContext['world'] },
): K6 {
  const out = wayOut.flatMap((name) => (world.env[name] === undefined ? [] : [[name, world.env[name]] as const]));
  return {
    ...k6,
    env: {
      ...k6Environment(world, {}),
      ...Object.fromEntries(out),
      K6_CLOUD_TOKEN: token,
      K6_CLOUD_STACK_ID: String(stack),
      K6_CLOUD_PROJECT_ID: String(project),
      K6_CLOUD_HOST_V6: host.replace(/\/$/, ''),
    },
  };
}
