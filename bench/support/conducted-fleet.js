import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { besideIn } from '../../dist/core/beside.js';
import { openRedactor } from '../../dist/core/redactor.js';
import { scope } from '../../dist/core/scope.js';
import { collectFleet } from '../../dist/phases/run/collect-fleet.js';
import { awaitReady, dismiss, startFleet } from '../../dist/phases/run/fleet.js';
import { launches } from '../../dist/phases/run/launches.js';
import { makeLoad } from '../../dist/phases/run/make-load.js';
import { watchfulness } from '../../dist/phases/run/runner-watch.js';
import { readOrigins } from '../../dist/phases/run/start-skew.js';
import { shapeOf } from '../../dist/phases/run/test-shape.js';
import { openLiveData } from '../../dist/phases/watch/live-data.js';
import { makePlan } from '../../dist/plan/plan.js';
import { loadProfile } from '../../dist/profile/load.js';
import { backend as kubernetes, openPods } from '../../dist/runners/kubernetes/index.js';
import { openSwitchboard } from '../../dist/runners/kubernetes/link/switchboard.js';
import { createRunDirectory } from '../../dist/runs/write.js';
import { openWorld } from '../../dist/world.js';

/**
 * One run's conductor, from its first runner to its merged summary, but for what needs a cluster: how the pods come to be. `told`
 * hears the port that they dial. What it used is of the whole time.
 */
export async function conductFleet(asked, told) {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  try {
    return await scope((defer) => conduct({ ...asked, folder }, told, defer));
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function conduct(asked, told, defer) {
  const { runners: count } = asked;
  const { attempt, heard } = await attemptOf(asked, defer);
  const { world, emit, plan } = attempt.context;
  const { clock } = world;
  const { signal, beside } = attempt.stop;
  const ids = plan.runners.map(({ id }) => id);
  const pushEveryMs = kubernetes.pushEveryMs(count);
  const live = await openLiveData(ids, new Set(), { clock, emit, pushEveryMs }, defer);
  const expected = { needs: { memoryBytes: 0 }, lifeMs: 600_000 };
  const backend = openPods({ ...world, profile: plan.fleet, signal, redact: openRedactor(), expected }, jobOf(asked, clock, told));
  defer(() => backend.close());
  const closely = watchfulness(count, kubernetes.noticeMs);
  const watchOf = ({ id }) => ({ ...closely, clock, pushedAt: () => live.heardAt.get(id), scheduledMs: world.scheduledMs });
  const fleet = { clock, emit, signal, killed: new AbortController().signal, beside, watchOf };

  const starting = usage(clock);
  const runners = await startFleet(backend, launches(attempt, live, pushEveryMs));
  await awaitReady(runners, 300_000, { ...fleet, tookMs: 0 });
  const started = starting();
  const teardown = { due: () => {}, holders: () => {}, run: async () => {}, elapsedMs: () => 0 };
  const setUp = { data: undefined, elapsedMs: 0, failed: false };
  const ready = { runners, fleet, live, setUp, teardown, origins: await readOrigins(runners) };

  const loading = usage(clock);
  const loaded = await makeLoad(attempt, ready);
  const load = loading();
  const merging = usage(clock);
  const writing = await dismiss(runners, fleet);
  loaded.lastLook();
  const summary = await collectFleet(attempt, ready, loaded, writing);
  const merged = merging();
  const own = heard.outcomes.filter(({ numbers }) => numbers === 'own').length;
  return {
    ...{ readyS: started.seconds, cores: load.cores, mergedS: merged.seconds, mergedCpuS: merged.cpuS, waitedShare: load.waitedShare },
    megabytes: process.resourceUsage().maxRSS / 1024,
    lostAt: heard.lostAt,
    numbers: `${own} own, ${heard.outcomes.length - own} pushed`,
    requests: summary.metrics.http_reqs.values.count,
  };
}

/** Pods come by themselves: all that a Job does is listen for them. */
function jobOf({ key }, clock, told) {
  return async ({ reachable }) => {
    const switchboard = await openSwitchboard({ host: '127.0.0.1', key, takePush: reachable.take, clock });
    told(switchboard.port);
    const unknown = async () => undefined;
    return { carrier: switchboard.carrier, imageOf: unknown, causeOf: unknown, close: async () => switchboard.close() };
  };
}

/** What stages of a run share, and what is heard of the runners. */
async function attemptOf({ runners: count, seconds, k6, folder }, defer) {
  const world = openWorld();
  const { clock } = world;
  const heard = { lostAt: [], outcomes: [] };
  const directory = await createRunDirectory(folder, 'bench', openRedactor());
  defer(() => directory.close());
  const moment = () => ({ at: clock.stamp(), t: Math.round(clock.elapsed()) });
  const emit = (event) => {
    if (event.type === 'runner-lost') heard.lostAt.push([Number(event.runner) - 1, Date.now()]);
    if (event.type === 'runner-ended') heard.outcomes.push(event);
    if (event.type === 'warned') console.error(`  warned: ${JSON.stringify(event).slice(0, 200)}`);
    directory.log({ ...moment(), ...event });
  };
  const plan = planOf(folder, count, seconds);
  const over = new AbortController();
  const stop = {
    ...{ signal: over.signal, race: (work) => work, why: () => undefined, check: () => {}, onCrossing: () => over.abort() },
    beside: besideIn(defer, (error) => console.error(error)),
  };
  const colourWatch = { look: async () => {}, end: async () => {} };
  const context = { plan, world, emit, moment, target: {} };
  const test = testOf(plan, { seconds, k6, folder });
  return {
    heard,
    attempt: { context, directory, test, stop, colourWatch, servers: { sampleOf: () => undefined }, userAgent: 'bench', defer },
  };
}

/** What this process uses from now on; `waitedShare`: of the time, how much it was ready and had no CPU (Linux). */
function usage(clock) {
  const [at, waited, cpu] = [clock.elapsed(), waitedMs(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const [cpuS, seconds] = [(user + system) / 1e6, (clock.elapsed() - at) / 1000];
    return { seconds, cpuS, cores: cpuS / seconds, waitedShare: (waitedMs() - waited) / 1000 / seconds };
  };
}

function waitedMs() {
  if (!existsSync('/proc/self/schedstat')) return 0;
  return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
}

function planOf(folder, count, seconds) {
  mkdirSync(join(folder, 'profiles'));
  writeFileSync(join(folder, 'profiles', 'k6.js'), 'export default () => {};\n');
  writeFileSync(
    join(folder, 'profiles', 'bench.yaml'),
    `target: {url: http://shop.load-test.svc}
workload: {script: k6.js, vus: ${count * 60}, duration: ${seconds}s}
runners:
  {backend: kubernetes, count: ${count}, onLost: continue, allowedLoss: 5%, kubernetes: {namespace: load-test, image: loadctl}}
sla: {p95: < 500ms, errors: < 10%}
abort: [{when: errors > 50%, for: 10s, after: 10s}]
`,
  );
  const files = { readFile: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined), listFolder: () => [] };
  const loaded = loadProfile({ environment: 'bench' }, { cwd: folder, env: {}, files, secrets: 'required' });
  return makePlan({ ...loaded, backend: { hosts: [] } });
}

function testOf(plan, { seconds, k6, folder }) {
  const vus = plan.load.vus;
  const options = { scenarios: { default: { executor: 'constant-vus', vus, duration: `${seconds}s`, gracefulStop: '5s' } } };
  const inspection = { options, maxVus: vus, functions: ['default'], counters: [], complaints: [] };
  const archive = join(folder, 'test.tar');
  const bytes = randomBytes(200_000);
  writeFileSync(archive, bytes);
  const archiveSha256 = createHash('sha256').update(bytes).digest('hex');
  const called = { file: k6, configFile: join(folder, 'k6-config.json'), env: {} };
  return { ...shapeOf(plan, inspection), k6: called, k6Version: '2.2.0', archive, archiveSha256 };
}
