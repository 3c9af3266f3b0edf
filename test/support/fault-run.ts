import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { type LoggedTarget, startLoggedTarget } from './answer-log.js';
import type { Fault, FaultKind, FaultPlan } from './fault-plans.js';
import { type FleetPlace, fleetPlace } from './fleet-place.js';
import type { Said } from './loadctl.js';
import { startTarget } from './target.js';

/** How long the load of each lasts, where it is given in time. */
export const loadMs = 3000;
/** How many iterations the whole fleet makes, where they are counted. */
export const iterations = 120;
export const vusPerRunner = 2;

const shim = fileURLToPath(new URL('../fixtures/clock/set-clock.cjs', import.meta.url));

/** A run that is over, with all that is known of it from outside. */
export interface SufferedRun {
  readonly at: FleetPlace;
  readonly target: LoggedTarget;
  readonly said: Said;
  /** The faults that struck before it was over. */
  readonly struck: readonly Fault[];
  /** What still runs of it. */
  left(): string;
  /** What is left of it in its temporary folder. */
  litter(): string[];
}

/** Runs a plan, and strikes it with its faults. */
export async function suffer(plan: FaultPlan): Promise<SufferedRun> {
  const target = await startLoggedTarget();
  const has = (kind: FaultKind) => plan.faults.some((fault) => fault.kind === kind);
  const colours = has('target switches') ? await startSwitch(target) : undefined;
  const at = fleetPlace(target, {
    ...(colours === undefined ? {} : { target: colours.words }),
    script: scriptOf(plan),
    workload: '',
    runners: `count: ${plan.runners}, onLost: ${plan.onLost}${plan.onLost === 'continue' && plan.allowedLoss > 0 ? `, allowedLoss: ${plan.allowedLoss}%` : ''}`,
    profile: 'sla: {errors: < 1%}',
  });
  if (has('disk full') && canMount) mountSmallDisk(at.folder);
  const stage = { at, target, switchOver: () => colours?.switchOver() };
  const run = at.start(['run', '--env', 'dev'], { NODE_OPTIONS: `--require ${shim}`, LOADCTL_TEST_STEP_MS: String(plan.clockStepMs) });
  const struck: Fault[] = [];
  let over = false;
  const strikes = plan.faults.map(async (fault) => {
    await Promise.race([target.after(fault.afterAnswers + 1), run.said]);
    if (over || (fault.kind === 'disk full' && !canMount)) return;
    struck.push(fault);
    await strike(fault, stage, run);
  });
  const said = await run.said;
  over = true;
  await Promise.all(strikes);
  return { at, target, said, struck, left: () => processesOf(at.folder), litter: () => readdirSync(join(at.folder, 'tmp')) };
}

type Run = ReturnType<FleetPlace['start']>;

interface Stage {
  readonly at: FleetPlace;
  readonly target: LoggedTarget;
  readonly switchOver: () => void;
}

/** A small disk takes root, and a Linux that lets it mount one. */
const canMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

function mountSmallDisk(folder: string): void {
  const disk = join(folder, '.loadctl');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
}

function fillDisk(folder: string): void {
  try {
    writeFileSync(join(folder, '.loadctl', 'filler'), Buffer.alloc(2_000_000));
  } catch {
    // It is full now.
  }
}

/** The target as the colour that is not live, until the switch. */
async function startSwitch({ url }: LoggedTarget): Promise<{ readonly words: string; readonly switchOver: () => void }> {
  let live = 'blue';
  const router = await startTarget((_, response) => {
    response.writeHead(200).end(JSON.stringify({ live }));
    return true;
  });
  const other = await startTarget();
  return {
    words: `colours: {blue: "${other.url}", green: "${url}"}, live: {url: "${router.url}/colour", jsonPath: $.live, every: 200ms}`,
    switchOver: () => {
      live = 'green';
    },
  };
}

const haltMs = { still: 700, goes: 200 };

/** Stops a runner three times, each time too short to be lost by it. */
async function halt(at: FleetPlace, runner: string): Promise<void> {
  for (let time = 0; time < 3; time += 1) {
    signalRunner(at, runner, 'SIGSTOP');
    await sleep(haltMs.still);
    signalRunner(at, runner, 'SIGCONT');
    await sleep(haltMs.goes);
  }
}

async function strike({ kind, runner }: Fault, { at, target, switchOver }: Stage, run: Run): Promise<void> {
  const signals = { 'runner killed': 'SIGKILL', 'runner frozen': 'SIGSTOP', 'runner signalled': 'SIGTERM' } as const;
  switch (kind) {
    case 'runner killed':
    case 'runner frozen':
    case 'runner signalled':
      return signalRunner(at, String(runner), signals[kind]);
    case 'runner halting':
      return halt(at, String(runner));
    case 'target switches':
      return switchOver();
    case 'disk full':
      return fillDisk(at.folder);
    case 'log flood':
      return void target.bodies.set('/work', 'flood '.repeat(300));
    case 'slow target':
      for (const path of ['/work', '/set-up', '/torn-down']) target.delays.set(path, 250);
      return;
    case 'dead target':
      return target.die();
    case 'clock set':
      return void run.process.kill('SIGUSR2');
    case 'Ctrl-C':
      return void run.process.kill('SIGINT');
    case 'Ctrl-C twice':
      run.process.kill('SIGINT');
      await Promise.race([run.until(/ending early|interrupted/i), run.said]).catch(() => undefined);
      return void run.process.kill('SIGTERM');
    case 'stop':
      return void (await at.loadctl(['stop', at.latestRun()]));
    case 'empty stop':
      return void at.file(`${at.latestRun().slice(at.folder.length + 1)}/stop.json`, '');
    case 'loadctl killed':
      return void run.process.kill('SIGKILL');
    case 'loadctl frozen':
      run.process.kill('SIGSTOP');
      await Promise.race([target.after(target.answers() + 20), k6Gone(at)]);
      return void run.process.kill('SIGCONT');
  }
}

function signalRunner(at: FleetPlace, runner: string, signal: NodeJS.Signals): void {
  try {
    at.signal(runner, signal);
  } catch {
    // It is gone already.
  }
}

function scriptOf({ setup, teardown, load, limit, runners }: FaultPlan): string {
  const vus = vusPerRunner * runners;
  const time = `executor: 'constant-vus', duration: '${loadMs}ms'`;
  const scenarios = {
    time: `{ a: { ${time}, vus: ${vus} } }`,
    iterations: `{ a: { executor: 'shared-iterations', vus: ${vus}, iterations: ${iterations} } }`,
    'two scenarios': `{ a: { ${time}, vus: ${runners} }, b: { ${time}, vus: ${runners} } }`,
  };
  const limits = limit ? `, thresholds: { good: [{ threshold: 'count>=0', abortOnFail: true }], iteration_duration: ['p(95)<60000'] }` : '';
  const data = setup === 'throws' ? "throw new Error('half way');" : 'return { token: 7 };';
  return `const good = new Counter('good');
export const options = { scenarios: ${scenarios[load]}${limits} };
${setup === 'none' ? '' : `export function setup() { http.get(__ENV.BASE_URL + '/set-up'); ${data} }`}
export default () => {
  const who = '?runner=' + __ENV.LOADCTL_RUNNER + '&vu=' + exec.vu.idInTest + '&seq=' + exec.vu.iterationInInstance;
  const { status, body } = http.get(__ENV.BASE_URL + '/work' + who, { tags: { name: 'work' }, timeout: '2s' });
  if (status === 200) good.add(1);
  for (let line = 0; line < 50 && body && body.length > 1000; line += 1) console.error(body);
  sleep(0.05);
};
${teardown ? "export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }" : ''}`;
}

/** Where nobody hears from loadctl any more, its agents end its k6. */
async function k6Gone({ folder }: FleetPlace): Promise<void> {
  await expect.poll(() => processesOf(folder), { timeout: 15_000 }).not.toMatch(/k6\S* run /);
}

/** What runs in a folder, or with it in its arguments; without what is ended and not yet asked how. */
function processesOf(folder: string): string {
  const all = execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  const isOf = (line: string) => line.includes(folder) || folderOf(line.trim().split(' ')[0]) === folder;
  return all.filter((line) => isOf(line) && !/^\s*\d+ Z/.test(line)).join('\n');
}

function folderOf(pid: string | undefined): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // it is gone
  }
}
